//! Requests as one writes them down, and as API Gateway hands them to a function:
//!
//! ```text
//! POST /v1/invoices?expand=x
//! content-type: application/json
//!
//! {"customer_id": "{customer}"}
//! ```

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fatura_bootstrap::http::readable;
use lambda_http::Request;
use lambda_http::http::{HeaderName, HeaderValue, Method};
use lambda_http::request::LambdaRequest;
use serde_json::{Map, Value, json};

/// Set by API Gateway itself, whatever the client sent.
const GATEWAYS_OWN: [&str; 3] = ["host", "x-forwarded-proto", "content-length"];

/// The most that API Gateway takes of a request line and headers together.
const LARGEST_HEAD: usize = 10_240;

/// What a client sent. Bytes, because that is what came; each part is only as much as HTTP lets through.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Written {
    pub(crate) fn read(input: &[u8]) -> Self {
        let (head, body) = split_at_empty_line(input);
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let (method, target) = lines.next().unwrap_or_default().split_once(' ').unwrap_or(("GET", "/"));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers = lines.filter_map(|line| line.split_once(": "));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: headers.map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            body: body.to_vec(),
        }
    }

    /// None: HTTP has no such request, so that nobody gets one.
    pub(crate) fn request(&self) -> Option<Request> {
        Method::from_bytes(self.method.as_bytes()).ok()?;
        let is_sent = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        let head = self.method.len() + self.path.len() + self.query.len() + headers.sum::<usize>();
        if !self.query.bytes().all(is_sent) || !self.path.starts_with('/') || head > LARGEST_HEAD {
            return None;
        }
        let request: LambdaRequest = serde_json::from_value(self.event()).ok()?;
        Some(readable(request).into())
    }

    fn event(&self) -> Value {
        let mut headers = Map::new();
        for (name, value) in &self.headers {
            let is_header =
                HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
            if !is_header || GATEWAYS_OWN.contains(&name.as_str()) {
                continue;
            }
            // One that came twice is handed over as one, with commas.
            let joined = match headers.get(name).and_then(Value::as_str) {
                Some(before) => format!("{before},{value}"),
                None => value.clone(),
            };
            headers.insert(name.clone(), Value::String(joined));
        }
        headers.insert("host".to_owned(), json!("a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"));
        headers.insert("x-forwarded-proto".to_owned(), json!("https"));
        let text = std::str::from_utf8(&self.body);
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": headers,
            "requestContext": {
                "http": {
                    "method": self.method, "path": self.path, "protocol": "HTTP/1.1", "sourceIp": "198.51.100.7",
                },
                "stage": "$default",
                "timeEpoch": 1_793_620_800_000_i64,
            },
            "body": text.map_or_else(|_| BASE64_STANDARD.encode(&self.body), str::to_owned),
            "isBase64Encoded": text.is_err(),
        })
    }
}

/// Lines end as on any machine; the body may have empty lines of its own.
pub(crate) fn split_at_empty_line(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.windows(2).position(|two| two == b"\n\n");
    end.map_or((input, &[]), |end| (&input[..end], &input[end + 2..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lambda_http::RequestExt;

    #[test]
    fn a_written_request_arrives_as_api_gateway_sends_it() {
        let written = Written::read(b"PUT /v1/a b?x=1\nIf-Match: \"3\"\nHost: evil\n\n{}\n\n");
        let request = written.request().unwrap();
        assert_eq!((request.method().as_str(), request.raw_http_path()), ("PUT", "/v1/a b"));
        assert_eq!(request.uri().query(), Some("x=1"));
        assert_eq!(request.headers()["if-match"], "\"3\"");
        assert_ne!(request.headers()["host"], "evil");
        assert_eq!(request.body().as_ref(), b"{}\n\n");
    }
}
