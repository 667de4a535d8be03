//! The OpenAPI document as a judge: of each answer, and of each request that was accepted.

use http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

pub(crate) struct Contract {
    pub(crate) document: Value,
    /// The document with every object closed: what isn't documented must not be answered.
    closed: Value,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    pub(crate) fn of(document: Value) -> Self {
        let mut closed = document.clone();
        close(&mut closed["components"]["schemas"]);
        Self { document, closed, validators: Mutex::default() }
    }

    /// The operation and its path template that a path belongs to.
    pub(crate) fn operation(&self, method: &Method, path: &str) -> Option<(&str, &Value)> {
        let paths = self.document["paths"].as_object().unwrap();
        let matching = paths.iter().find(|(template, _)| fits(template, path));
        matching.and_then(|(template, item)| {
            item.get(method.as_str().to_lowercase()).map(|operation| (template.as_str(), operation))
        })
    }

    pub(crate) fn check_answer(
        &self,
        method: &Method,
        path: &str,
        status: u16,
        media_type: &str,
        body: &Value,
    ) {
        if status >= 400 {
            assert_eq!(media_type, "application/problem+json");
            self.check(&json!({"$ref": "#/components/schemas/Problem"}), body);
        }
        let Some((template, operation)) = self.operation(method, path) else {
            return assert!(
                matches!(status, 404 | 405),
                "{method} {path} is not documented, but answers {status}"
            );
        };
        let response = self.resolved(&operation["responses"][status.to_string()]);
        assert!(response.is_object(), "{method} {template} answers {status}, which is not documented");
        if status < 400 && status != 204 {
            let media = &response["content"][media_type.split(';').next().unwrap()];
            assert!(media.is_object(), "{method} {template} answers {media_type}, which is not documented");
            if media_type == "application/json" {
                self.check(&media["schema"], body);
            }
        }
    }

    /// What was accepted must be what is documented.
    pub(crate) fn check_request(&self, method: &Method, path: &str, body: &Value) {
        let Some((_, operation)) = self.operation(method, path) else { return };
        if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
            self.check(schema, body);
        }
    }

    pub(crate) fn check(&self, schema: &Value, body: &Value) {
        let validator = self.validator(schema);
        let faults: Vec<String> =
            validator.iter_errors(body).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        assert!(faults.is_empty(), "{schema} does not describe {body}: {faults:#?}");
    }

    pub(crate) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self.document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => value,
        }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap();
        let build = || {
            let whole = json!({"allOf": [schema], "components": self.closed["components"]});
            Arc::new(jsonschema::draft202012::new(&whole).unwrap())
        };
        validators.entry(schema.to_string()).or_insert_with(build).clone()
    }
}

fn fits(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    template.split('/').count() == path.split('/').count()
        && template.split('/').zip(path.split('/')).all(|(t, p)| t.starts_with('{') || t == p)
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            members.values_mut().for_each(close);
            if members.get("properties").is_some_and(Value::is_object) && members.get("type").is_some() {
                members.entry("additionalProperties").or_insert(Value::Bool(false));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(close),
        _ => {}
    }
}
