use crate::items::{BillItem, InvoiceItem, Item, TransactionItem, sort_key};
use crate::keys;
use fatura_application::ports::StoreError;
use fatura_domain::bill::Bill;
use fatura_domain::invoice::Invoice;
use fatura_domain::ledger::Transaction;

/// An item as the table's stream tells it.
pub type StreamImage = serde_dynamo::Item;

/// The invoice that an image shows; None if it shows something else, or nothing.
pub fn invoice_of_image(image: StreamImage) -> Result<Option<Invoice>, StoreError> {
    let item: Item = image.into();
    if keys::invoice_id(sort_key(&item)).is_none() {
        return Ok(None);
    }
    InvoiceItem::read(item).map(Some)
}

/// The bill that an image shows; None if it shows something else, such as a line item, or nothing.
pub fn bill_of_image(image: StreamImage) -> Result<Option<Bill>, StoreError> {
    let item: Item = image.into();
    if keys::bill_id(sort_key(&item)).is_none() {
        return Ok(None);
    }
    BillItem::read(item).map(Some)
}

/// The transaction that an image shows; None if it shows something else, or nothing.
pub fn transaction_of_image(image: StreamImage) -> Result<Option<Transaction>, StoreError> {
    let item: Item = image.into();
    if keys::transaction_id(sort_key(&item)).is_none() {
        return Ok(None);
    }
    TransactionItem::read(item).map(Some)
}
