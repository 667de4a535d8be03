//! How a function that API Gateway calls is run: as `lambda_http` does it, with requests that it can read.

use lambda_http::lambda_runtime::{self, Diagnostic};
use lambda_http::request::LambdaRequest;
use lambda_http::tower::ServiceBuilder;
use lambda_http::{Adapter, Error, IntoResponse, LambdaEvent, Request, Service};
use std::fmt::{Debug, Write};

/// Answers requests until the environment ends.
pub async fn run<'a, R, S, E>(handler: S) -> Result<(), Error>
where
    S: Service<Request, Response = R, Error = E>,
    S::Future: Send + 'a,
    R: IntoResponse,
    E: Debug + Into<Diagnostic>,
{
    let repair = |event: LambdaEvent<LambdaRequest>| LambdaEvent::new(readable(event.payload), event.context);
    lambda_runtime::run(ServiceBuilder::new().map_request(repair).service(Adapter::from(handler))).await
}

/// `lambda_http` panics at a query that no URI may have, and clients do send quotes and angle brackets as they are. They mean
/// what they mean percent-encoded.
pub fn readable(mut request: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV2(request) = &mut request
        && let Some(query) = &mut request.raw_query_string
        && !query.bytes().all(is_of_a_query)
    {
        *query = query.bytes().fold(String::with_capacity(query.len() * 3), |mut encoded, byte| {
            if is_of_a_query(byte) {
                encoded.push(char::from(byte));
            } else {
                // Writing to text can't fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
            encoded
        });
    }
    request
}

const fn is_of_a_query(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn query(raw: &str) -> Option<String> {
        let event = json!({
            "version": "2.0", "rawPath": "/v1/invoices", "rawQueryString": raw, "headers": {},
            "requestContext": { "http": { "method": "GET", "path": "/v1/invoices" } },
        });
        let request: LambdaRequest = serde_json::from_value(event).unwrap();
        Request::from(readable(request)).uri().query().map(str::to_owned)
    }

    #[test]
    fn what_no_uri_may_have_in_its_query_is_encoded_and_the_rest_stays() {
        assert_eq!(query("limit=1&cursor=a%22b+c").unwrap(), "limit=1&cursor=a%22b+c");
        assert_eq!(query("x=\"<a>\" é#\u{7f}").unwrap(), "x=%22%3Ca%3E%22%20%C3%A9%23%7F");
        for byte in 0..=u8::MAX {
            assert!(query(&format!("x={}", char::from(byte))).is_some(), "{byte}");
        }
    }
}
