use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::books::{
    AccountsBody, Progress, TrialBalanceBody, VerificationBody, VerifyInput, read_verify,
};
use crate::wire::common::answer;
use crate::wire::ledger::{JournalBody, PostingInput, StatementBody, Viewer, read_posting};
use crate::wire::list::ListQuery;
use crate::wire::transaction::refuse_empty_period;
use crate::wire::values::instant;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use fatura_application::ports::{Page, PageRequest};
use fatura_domain::id::CustomerId;
use fatura_domain::ledger::{GeneralAccount, Transaction};

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/ledger", post),
        Route::get("/v1/ledger/{id}", statement),
        Route::get("/v1/ledger/accounts/{account}", account),
        Route::get("/v1/ledger/trial-balance", trial_balance),
        Route::post("/v1/ledger/verify", verify),
    ]
}

async fn post(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let once = request.once(&caller)?;
    let render = |journal: &Transaction| answer(201, &JournalBody::of(journal, Viewer::ANY));
    let reply = match read_posting(request.fields()?)? {
        PostingInput::Posting(posting) => api.app.post_journal(&caller, posting, &once, &render).await,
        PostingInput::Reversal { reverses, description } => {
            api.app.reverse_journal(&caller, reverses, description, &once, &render).await
        }
    };
    Ok(replied(reply?))
}

async fn statement(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(customer): Ids<CustomerId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { mut fields, paging } = ListQuery::read(&caller, &uri);
    let (start, end) = (fields.optional("start", instant), fields.optional("end", instant));
    refuse_empty_period(&mut fields, ("start", start), ("end", end));
    fields.finish(|| Some(()))?;
    let mut page = api.app.statement(&caller, customer, start, end, paging.request()?).await?;
    let next = Page::<()> { data: Vec::new(), next: page.next.take() };
    let next_cursor = paging.body(&next, |()| ()).next_cursor;
    Ok(ok(&StatementBody::of(customer, (start, end), &page, next_cursor, Viewer::of(&caller))?))
}

async fn account(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(account): Ids<String>,
) -> Result<Response, Problem> {
    let account = GeneralAccount::parse(&account).map_err(|_| Problem::not_found())?;
    Ok(ok(&AccountsBody::of(&api.app.ledger_account(&caller, &account).await?)?))
}

async fn trial_balance(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
) -> Result<Response, Problem> {
    Ok(ok(&TrialBalanceBody::of(&api.app.trial_balance(&caller).await?)?))
}

/// What of the table is looked at in one request.
const STRIDE: usize = 1_000;

async fn verify(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    request: Submission,
) -> Result<Response, Problem> {
    let body = match read_verify(request.optional_fields()?)? {
        VerifyInput::Customer { customer, sealing } => {
            let found = api.app.verify_customer(&caller, customer, sealing).await?;
            VerificationBody::of_customer(customer, &found)?
        }
        VerifyInput::Books(Progress { journals, posted, after }) => {
            let page = PageRequest { limit: STRIDE, after };
            VerificationBody::of_books(&api.app.verify_books(&caller, (journals, posted), page).await?)?
        }
    };
    Ok(ok(&body))
}
