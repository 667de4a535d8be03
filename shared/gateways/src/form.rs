//! Bodies of `application/x-www-form-urlencoded` and queries, with keys nested by brackets: `metadata[attempt]=…`.

use reqwest::{RequestBuilder, Url};

/// Pairs in the order in which they were put: a repeat is the same bytes.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    #[must_use]
    pub(crate) fn with(mut self, key: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.0.push((key.to_owned(), value.to_string()));
        self
    }

    /// `outer[inner]`: in what is put here no bracket is read as nesting by mistake, since both are ours.
    #[must_use]
    pub(crate) fn nested(self, outer: &str, inner: &str, value: &(impl ToString + ?Sized)) -> Self {
        self.with(&format!("{outer}[{inner}]"), value)
    }

    /// As the request's body.
    pub(crate) fn onto(&self, request: RequestBuilder) -> RequestBuilder {
        request.form(&self.0)
    }

    /// As the URL's query.
    pub(crate) fn at(&self, mut url: Url) -> Url {
        if !self.0.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.0);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What a server makes of a form, written without looking at the encoder.
    fn decoded(text: &str) -> Vec<(String, String)> {
        let plain = |part: &str| {
            let (mut bytes, mut rest) = (Vec::new(), part.bytes());
            while let Some(byte) = rest.next() {
                bytes.push(match byte {
                    b'+' => b' ',
                    b'%' => {
                        let digits = [rest.next().unwrap(), rest.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                    }
                    plain => plain,
                });
            }
            String::from_utf8(bytes).unwrap()
        };
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(key, value)| (plain(key), plain(value)))
            .collect()
    }

    fn body(form: &Form) -> String {
        let request = form.onto(reqwest::Client::new().post("http://localhost/")).build().unwrap();
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        String::from_utf8(request.body().unwrap().as_bytes().unwrap().to_vec()).unwrap()
    }

    #[test]
    fn keys_nest_by_brackets() {
        let form = Form::new().nested("metadata", "attempt", "att_1").with("expand[]", "a b&c=d");
        assert_eq!(body(&form), "metadata%5Battempt%5D=att_1&expand%5B%5D=a+b%26c%3Dd");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_is_put_in_comes_out(pairs in proptest::collection::vec((".{1,12}", ".{0,24}"), 1..6)) {
            let form = pairs.iter().fold(Form::new(), |form, (key, value)| form.with(key, value.as_str()));
            prop_assert_eq!(&decoded(&body(&form)), &pairs);
            let url = form.at("http://localhost/v1".parse().unwrap());
            prop_assert_eq!(&decoded(url.query().unwrap()), &pairs);
        }
    }
}
