use crate::TestTable;
use aws_sdk_dynamodb::types::AttributeValue;
use fatura_domain::id::InvoiceId;

impl TestTable {
    /// How large an invoice's item is, by the rules of DynamoDB's documentation.
    pub async fn invoice_size(&self, id: InvoiceId) -> usize {
        let item = self
            .client
            .get_item()
            .table_name(Self::name())
            .key("PK", AttributeValue::S(format!("C#{}", id.owner().code())))
            .key("SK", AttributeValue::S(format!("INV#{}", id.code())))
            .send()
            .await
            .unwrap()
            .item
            .unwrap();
        item.iter().map(|(name, value)| name.len() + bytes(value)).sum()
    }
}

fn bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(digits) => digits.trim_start_matches('-').len().div_ceil(2) + 1,
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(values) => 3 + values.iter().map(|value| 1 + bytes(value)).sum::<usize>(),
        AttributeValue::M(values) => {
            3 + values.iter().map(|(name, value)| 1 + name.len() + bytes(value)).sum::<usize>()
        }
        other => panic!("not stored by us: {other:?}"),
    }
}
