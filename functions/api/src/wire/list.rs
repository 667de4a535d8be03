//! Pages of lists. A cursor is the store's position with a checksum over the query that it belongs to: it goes on with
//! that list and no other.

use super::fields::Fields;
use crate::problem::{Code, Problem};
use axum::extract::Query;
use axum::http::Uri;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fatura_application::access::{Caller, Role};
use fatura_application::ports::{Page, PageRequest, Position};
use serde::Serialize;
use sha2::{Digest, Sha256};

pub(crate) struct ListQuery {
    /// What is left in the query beside the page: the filters, to be read.
    pub(crate) fields: Fields,
    pub(crate) paging: Paging,
}

pub(crate) struct Paging {
    limit: usize,
    cursor: Option<String>,
    query: [u8; 32],
}

/// How many a page has: unless it is said, and at most.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) default: usize,
    pub(crate) most: usize,
}

const LIMITS: Limits = Limits { default: 20, most: 100 };
const CHECKSUM_LENGTH: usize = 12;
const LONGEST_CURSOR: usize = 4_096;

impl ListQuery {
    pub(crate) fn read(caller: &Caller, uri: &Uri) -> Self {
        Self::read_within(LIMITS, caller, uri)
    }

    /// For pages of another size than a list's.
    pub(crate) fn read_within(limits: Limits, caller: &Caller, uri: &Uri) -> Self {
        let Limits { default, most } = limits;
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(uri).map(|Query(pairs)| pairs);
        let mut pairs = pairs.unwrap_or_default();
        pairs.sort();
        let query = query_fingerprint(caller, uri.path(), &pairs);
        let mut fields = Fields::of_query(pairs);
        let limit = fields.optional("limit", |value| {
            let limit = value.as_str().and_then(|text| text.parse().ok());
            limit.filter(|limit| (1..=most).contains(limit)).ok_or(format!("must be 1 to {most}"))
        });
        let cursor = fields.optional("cursor", |value| Ok(value.as_str().unwrap_or_default().to_owned()));
        Self { fields, paging: Paging { limit: limit.unwrap_or(default), cursor, query } }
    }
}

impl Paging {
    pub(crate) fn request(&self) -> Result<PageRequest, Problem> {
        let bad = || Problem::new(Code::InvalidCursor, "the cursor is not one of this list");
        let after = match &self.cursor {
            Some(cursor) => Some(self.position(cursor).ok_or_else(bad)?),
            None => None,
        };
        Ok(PageRequest { limit: self.limit, after })
    }

    pub(crate) fn body<'p, T, B: Serialize>(
        &self,
        page: &'p Page<T>,
        render: impl Fn(&'p T) -> B,
    ) -> ListBody<B> {
        ListBody {
            data: page.data.iter().map(render).collect(),
            next_cursor: page.next.as_ref().map(|position| self.cursor(position)),
        }
    }

    /// What asks for the next page of the same size, where nothing else is asked.
    pub(crate) fn query_from(&self, next: &Position) -> String {
        format!("limit={}&cursor={}", self.limit, self.cursor(next))
    }

    fn cursor(&self, position: &Position) -> String {
        let checksum = self.checksum(&position.0);
        URL_SAFE_NO_PAD.encode([checksum.as_slice(), position.0.as_bytes()].concat())
    }

    fn position(&self, cursor: &str) -> Option<Position> {
        let bytes =
            URL_SAFE_NO_PAD.decode(Some(cursor).filter(|cursor| cursor.len() <= LONGEST_CURSOR)?).ok()?;
        let (checksum, position) = bytes.split_at_checked(CHECKSUM_LENGTH)?;
        let position = std::str::from_utf8(position).ok()?;
        (checksum == self.checksum(position)).then(|| Position(position.to_owned()))
    }

    /// No secret: it finds mistakes. What a caller may see is decided anew with each page, and the store takes from a
    /// position only a place within the list that was asked for.
    fn checksum(&self, position: &str) -> [u8; CHECKSUM_LENGTH] {
        let hash = Sha256::new().chain_update(self.query).chain_update(position).finalize();
        std::array::from_fn(|index| hash.get(index).copied().unwrap_or_default())
    }
}

/// The list as asked for, but for the page of it. The limit may change from page to page.
fn query_fingerprint(caller: &Caller, path: &str, pairs: &[(String, String)]) -> [u8; 32] {
    let scope = match caller.role {
        Role::Operator => "operator".to_owned(),
        Role::Service => "service".to_owned(),
        Role::Customer(customer) => customer.to_string(),
    };
    let filters = pairs.iter().filter(|(name, _)| name != "limit" && name != "cursor");
    let mut hash = Sha256::new();
    for part in
        [scope.as_str(), path].into_iter().chain(filters.flat_map(|(name, value)| [name.as_str(), value]))
    {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[derive(Debug, Serialize)]
pub(crate) struct ListBody<B> {
    pub(crate) data: Vec<B>,
    pub(crate) next_cursor: Option<String>,
}
