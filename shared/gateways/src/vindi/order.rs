//! The bill that an order is.

use super::wire::{BillItem, NewBill, Profile};
use crate::brazil::{parts, reais};
use crate::trouble::Trouble;
use fatura_application::ports::GatewaySecrets;
use fatura_domain::gateway::{ChargeRequest, Means};

/// Every item of a bill is a product's, and every bill a customer's: which product stands for our invoices, and which
/// customer for those who pay by Pix and have no card here, is configured.
pub(super) fn new_bill(request: &ChargeRequest, told: &GatewaySecrets) -> Result<NewBill, Trouble> {
    let amount = reais::number(request.amount)?;
    let configured = |name: &str| {
        let id = told.more.get(name).and_then(|value| value.parse::<u64>().ok());
        id.ok_or_else(|| Trouble::configuration("not_configured", format!("{name} is missing or no number")))
    };
    let number = |part: &str| {
        let message = "the token was not stored by this gateway";
        part.parse::<u64>().map_err(|_| Trouble::configuration("not_a_stored_card", message))
    };
    let (customer_id, payment_method_code, payment_profile) = match &request.means {
        Means::CreditCard(token) => {
            let [customer, profile] = parts(&token.0)?;
            (number(customer)?, "credit_card", Some(Profile { id: number(profile)? }))
        }
        Means::Pix(_) => (configured("pix_customer_id")?, "pix", None),
    };
    let bill_items = [BillItem { product_id: configured("product_id")?, amount }];
    Ok(NewBill {
        customer_id,
        code: request.attempt.to_string(),
        payment_method_code,
        bill_items,
        payment_profile,
    })
}
