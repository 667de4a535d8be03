//! What people are told: receipts, failed charges with what to do, refunds, disputes, bills and Pix codes, in their own
//! language, for mail and for SMS.
//!
//! A crate of its own, so that nobody who tells nothing links a template engine.
//!
//! Architecture invariants:
//! - Pure: no clock, no sending. The same notice makes the same texts.
//! - A template decides on words and nothing else. Amounts, dates and what is to be done come to it as they are to be read.
//! - One text for mail in its two forms: the HTML is the same paragraphs, escaped.

mod context;
mod notice;
mod numerals;
mod render;
mod templates;

pub use fatura_domain::notice::{Language, NoticeKind as Kind};
pub use notice::{Addressee, Matter, Notice, PaidWith, Remedy};
pub use render::{RenderError, Renderer, Texts};
