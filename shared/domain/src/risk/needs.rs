use super::table::Fact;

/// What has to be looked up before rules can be asked. What else they may ask lies on the invoice.
#[expect(clippy::struct_excessive_bools, reason = "each is asked for or not, whatever the others")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// The customer's own item.
    pub person: bool,
    pub payments: bool,
    pub disputes: bool,
    pub velocity: bool,
}

impl Needs {
    /// Of rules that mention these facts.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Self {
        let mut needs = Self::default();
        for fact in facts {
            match fact.path() {
                ("customer", "id") => {}
                ("customer", "payments") => needs.payments = true,
                ("customer", "disputes") => needs.disputes = true,
                ("customer", _) | ("blocked", "email" | "country") => needs.person = true,
                ("velocity", _) => needs.velocity = true,
                _ => {}
            }
        }
        needs
    }
}
