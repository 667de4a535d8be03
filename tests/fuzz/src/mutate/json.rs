//! JSON changed as JSON: wherever it begins in an input, and within texts that hold JSON themselves, as messages do.

use super::{Mutator, NUMBERS};
use serde_json::{Map, Value};

/// Deeper than `serde_json` reads.
const DEEP: usize = 200;
const MOST_ELEMENTS: usize = 2_000;

impl Mutator {
    /// Whether there was any.
    pub(super) fn mutate_json(&self, input: &mut Vec<u8>) -> bool {
        let Some(start) = input.iter().position(|byte| matches!(byte, b'{' | b'[')) else { return false };
        let Ok(mut value) = serde_json::from_slice::<Value>(&input[start..]) else { return false };
        self.mutate_value(&mut value);
        input.truncate(start);
        if self.one_in(100) {
            let nest = |sign: &str| sign.repeat(DEEP);
            input.extend(format!("{}{value}{}", nest("["), nest("]")).bytes());
        } else {
            input.extend(value.to_string().bytes());
        }
        true
    }

    fn mutate_value(&self, value: &mut Value) {
        let place = self.below(nodes(value));
        self.mutate_node(nth(value, place));
    }

    fn mutate_node(&self, node: &mut Value) {
        if let Value::String(text) = node
            && !self.one_in(4)
            && let Ok(mut inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text)
        {
            self.mutate_value(&mut inner);
            *text = inner.to_string();
            return;
        }
        match (self.below(6), node) {
            (0..3, Value::Object(members)) => self.mutate_members(members),
            (0..3, Value::Array(elements)) => self.mutate_elements(elements),
            (0..2, Value::String(text)) => *text = self.mutate_text(text),
            (3, node) => *node = Value::Array(vec![node.take()]),
            (_, node) => *node = self.leaf(),
        }
    }

    fn mutate_members(&self, members: &mut Map<String, Value>) {
        let names: Vec<String> = members.keys().cloned().collect();
        let word = self.word();
        if names.is_empty() || self.one_in(3) {
            members.insert(word, self.leaf());
        } else if let Some(value) = members.remove(self.pick(&names)) {
            // As often gone as under another name.
            if self.one_in(2) {
                members.insert(word, value);
            }
        }
    }

    fn mutate_elements(&self, elements: &mut Vec<Value>) {
        match (self.below(4), elements.is_empty()) {
            (_, true) => elements.push(self.leaf()),
            (0, _) => drop(elements.remove(self.below(elements.len()))),
            (1, _) => elements.clear(),
            (_, _) => {
                let again = self.pick(elements).clone();
                let times = if self.one_in(40) { self.below(MOST_ELEMENTS) } else { 1 };
                // What is large isn't multiplied: the input has a bound, and JSON cut off is none.
                let times = times.min(super::MOST_REPEATED / again.to_string().len().max(1));
                elements.extend(std::iter::repeat_n(again, times));
            }
        }
    }

    fn mutate_text(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        self.mutate_bytes(&mut bytes, b"");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn word(&self) -> String {
        let word: &Vec<u8> = self.pick(&self.words);
        String::from_utf8_lossy(word).into_owned()
    }

    fn number(&self) -> Value {
        let number: &&str = self.pick(&NUMBERS);
        serde_json::from_str(number).unwrap_or(Value::Null)
    }

    fn leaf(&self) -> Value {
        match self.below(8) {
            0 => Value::Null,
            1 => Value::Bool(self.one_in(2)),
            2 | 3 => self.number(),
            4 => Value::Object(Map::new()),
            5 => Value::Array(Vec::new()),
            _ => Value::String(self.word()),
        }
    }
}

fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::Array(elements) => elements.iter().map(nodes).sum(),
        Value::Object(members) => members.values().map(nodes).sum::<usize>(),
        _ => 0,
    }
}

/// The node at a place, counted from the outside in.
fn nth(value: &mut Value, place: usize) -> &mut Value {
    if place == 0 {
        return value;
    }
    match value {
        Value::Array(elements) => {
            let (index, place) = within(elements.iter(), place - 1);
            nth(&mut elements[index], place)
        }
        Value::Object(members) => {
            let (index, place) = within(members.values(), place - 1);
            nth(members.values_mut().nth(index).unwrap(), place)
        }
        leaf => leaf,
    }
}

/// Which of the children a place is in, and where in it.
fn within<'v>(children: impl Iterator<Item = &'v Value>, mut place: usize) -> (usize, usize) {
    for (index, child) in children.enumerate() {
        let size = nodes(child);
        if place < size {
            return (index, place);
        }
        place -= size;
    }
    (0, 0)
}
