//! Reads an object member by member and remembers everything that is wrong with it, so that a client learns all of its
//! mistakes from one answer.

use crate::problem::Problem;
use fatura_application::Fault;
use fatura_domain::bill::BillFault;
use fatura_domain::text::holds_card_number;
use serde_json::{Map, Value};

/// What a reader of one value says: the value, or why it isn't one.
pub(crate) type Read<T> = Result<T, String>;

pub(crate) struct Fields {
    /// The path of this object, empty for the body itself.
    at: String,
    /// What a member is called in a reason.
    noun: &'static str,
    members: Map<String, Value>,
    faults: Vec<Fault>,
}

/// Enough for every member of a hundred lines; a body of nothing but mistakes isn't told each of them.
const MOST_FAULTS: usize = 1_000;
const LONGEST_NAME: usize = 100;

impl Fields {
    pub(crate) const fn of(members: Map<String, Value>) -> Self {
        Self { at: String::new(), noun: "member", members, faults: Vec::new() }
    }

    /// A query is an object too, all of whose members are text.
    pub(crate) fn of_query(pairs: Vec<(String, String)>) -> Self {
        let mut fields = Self { noun: "parameter", ..Self::of(Map::new()) };
        for (name, value) in pairs {
            if fields.members.contains_key(&name) {
                fields.fault(&name, "must be given once");
            }
            fields.members.insert(name, Value::String(value));
        }
        fields
    }

    pub(crate) fn required<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Read<T>) -> Option<T> {
        let value = self.take(name);
        if value.is_none() {
            self.fault(name, "is required");
        }
        self.read(name, &value?, read)
    }

    /// `null` says the same as leaving it out.
    pub(crate) fn optional<T>(&mut self, name: &str, read: impl FnOnce(&Value) -> Read<T>) -> Option<T> {
        let value = self.take(name)?;
        self.read(name, &value, read)
    }

    /// Of a change: left out leaves a thing as it is, `null` takes it away.
    #[expect(
        clippy::option_option,
        reason = "a change has three cases, and the use case's command says them so"
    )]
    pub(crate) fn change<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Read<T>,
    ) -> Option<Option<T>> {
        match self.members.remove(name)? {
            Value::Null => Some(None),
            value => self.read(name, &value, read).map(Some),
        }
    }

    /// An object within, if it is there.
    pub(crate) fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let Value::Object(members) = self.take(name)? else {
            self.fault(name, "must be an object");
            return None;
        };
        let mut inner = Self { at: self.path(name), noun: self.noun, members, faults: Vec::new() };
        let thing = read(&mut inner);
        self.faults.extend(inner.closed());
        thing
    }

    /// The same, where leaving it out is as good as `null`.
    pub(crate) fn optional_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        if self.says(name) {
            return self.object(name, read);
        }
        self.members.remove(name);
        None
    }

    /// A list of 1 to `most` objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        most: usize,
        read: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Value::Array(values) = self.members.remove(name)? else {
            self.fault(name, "must be a list");
            return None;
        };
        if values.is_empty() {
            self.fault(name, "must have at least 1 entry");
        } else if values.len() > most {
            self.fault(name, format!("must have at most {most} entries"));
        }
        let read_one = |(index, value)| {
            let at = format!("{}[{index}]", self.path(name));
            let Value::Object(members) = value else {
                self.faults.push(Fault::new(at, "must be an object"));
                return None;
            };
            let mut one = Self { at, noun: self.noun, members, faults: Vec::new() };
            let thing = read(&mut one);
            self.faults.extend(one.closed());
            thing
        };
        // All are read before one that failed ends it.
        let things: Vec<Option<T>> = values.into_iter().take(most).enumerate().map(read_one).collect();
        things.into_iter().collect()
    }

    /// Whether there is more to read of a list than that it is empty.
    pub(crate) fn array_has_entries(&mut self, name: &str) -> bool {
        let is_empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if self.members.get(name).is_none_or(is_empty) {
            self.members.remove(name);
            return false;
        }
        true
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether it is there and isn't `null`.
    pub(crate) fn says(&self, name: &str) -> bool {
        self.members.get(name).is_some_and(|value| !value.is_null())
    }

    /// Every text in here, at any depth, with its path: for what must occur nowhere.
    pub(crate) fn each_text(&self, visit: &mut dyn FnMut(&str, &str)) {
        for (name, value) in &self.members {
            visit(&self.path(name), name);
            each_text(&self.path(name), value, visit);
        }
    }

    /// Without a name, of this object as a whole.
    pub(crate) fn fault(&mut self, name: &str, reason: impl Into<String>) {
        let field = match (name, self.at.as_str()) {
            ("", "") => "body".to_owned(),
            ("", at) => at.to_owned(),
            _ => self.path(name),
        };
        self.fault_at(field, reason);
    }

    /// Says one thing about a field: what was found first.
    pub(crate) fn fault_at(&mut self, field: String, reason: impl Into<String>) {
        if !self.faults.iter().any(|fault| fault.field == field) && self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault::new(field, reason));
        }
    }

    /// All that a rule finds wrong with what these members say together.
    pub(crate) fn refused(&mut self, faults: Vec<BillFault>) {
        for BillFault { field, reason } in faults {
            self.fault(field, reason);
        }
    }

    /// Forgets members that can't be judged, because it isn't known which of them belong here.
    pub(crate) fn ignore(&mut self, names: &[&str]) {
        for name in names {
            self.members.remove(*name);
        }
    }

    /// The thing that was read, unless anything was wrong with it.
    pub(crate) fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T, Problem> {
        let faults = self.closed();
        if !faults.is_empty() {
            return Err(Problem::invalid(&faults));
        }
        build().ok_or_else(|| Problem::internal("a member was neither read nor refused"))
    }

    /// What nobody asked for is a mistake: a typo in `unit_price` must not make a free invoice.
    fn closed(mut self) -> Vec<Fault> {
        for name in std::mem::take(&mut self.members).keys().take(MOST_FAULTS) {
            self.fault(name, format!("is not a {} of this request", self.noun));
        }
        self.faults.truncate(MOST_FAULTS);
        self.faults
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name).filter(|value| !value.is_null())
    }

    fn read<T>(&mut self, name: &str, value: &Value, read: impl FnOnce(&Value) -> Read<T>) -> Option<T> {
        read(value).map_err(|reason| self.fault(name, reason)).ok()
    }

    fn path(&self, name: &str) -> String {
        let name = shown(name);
        if self.at.is_empty() { name } else { format!("{}.{name}", self.at) }
    }
}

fn each_text(at: &str, value: &Value, visit: &mut dyn FnMut(&str, &str)) {
    match value {
        Value::String(text) => visit(at, text),
        Value::Number(number) => visit(at, number.as_str()),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                each_text(&format!("{at}[{index}]"), value, visit);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let at = format!("{at}.{}", shown(name));
                visit(&at, name);
                each_text(&at, value, visit);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// A name as it may be repeated: the client chose it, so it is cut short and never a card number.
pub(crate) fn shown(name: &str) -> String {
    if holds_card_number(name) {
        return "(a card number)".to_owned();
    }
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::values::text;
    use fatura_domain::text::Description;
    use serde_json::json;

    fn faults_of(body: Value) -> Vec<(String, String)> {
        let Value::Object(members) = body else { panic!("an object") };
        let mut fields = Fields::of(members);
        fields.required("name", text(Description::parse));
        fields.optional("note", text(Description::parse));
        fields.objects("items", 2, |item| item.required("description", text(Description::parse)));
        fields.closed().into_iter().map(|fault| (fault.field, fault.reason)).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_said_with_its_path() {
        let faults = faults_of(json!({
            "note": 7, "nmae": "x", "4111111111111111": 1,
            "items": [{"description": ""}, 3, {}],
        }));
        let shown: Vec<_> = faults.iter().map(|(field, reason)| format!("{field} {reason}")).collect();
        assert_eq!(
            shown,
            [
                "name is required",
                "note must be text",
                "items must have at most 2 entries",
                "items[0].description must not be empty",
                "items[1] must be an object",
                "(a card number) is not a member of this request",
                "nmae is not a member of this request",
            ]
        );
    }

    #[test]
    fn null_is_as_good_as_nothing() {
        assert_eq!(faults_of(json!({"name": null})), [("name".to_owned(), "is required".to_owned())]);
        assert_eq!(faults_of(json!({"name": "x", "note": null})), []);
    }
}
