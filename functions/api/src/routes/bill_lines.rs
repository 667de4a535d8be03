use super::{Route, ok, replied};
use crate::Api;
use crate::extract::{Authenticated, Ids, Submission};
use crate::problem::Problem;
use crate::wire::bill::{WithLine, WithLines};
use crate::wire::bill_export::Table;
use crate::wire::bill_line::{BillLineBody, read_line, read_lines};
use crate::wire::common::answer;
use crate::wire::list::{Limits, ListQuery, Paging};
use axum::extract::State;
use axum::http::{HeaderName, Uri, header};
use axum::response::{IntoResponse, Response};
use fatura_application::BillView;
use fatura_application::access::Caller;
use fatura_application::ports::Position;
use fatura_domain::bill::BillLine;
use fatura_domain::id::BillId;

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::post("/v1/bills/{id}/line-items", append),
        Route::post("/v1/bills/{id}/line-items:batch", append_many),
        Route::get("/v1/bills/{id}/line-items", list),
        Route::get("/v1/bills/{id}/export", export),
    ]
}

async fn append(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    request: Submission,
) -> Result<Response, Problem> {
    let fields = request.fields()?;
    // What has a reference is known by it, with a key or without.
    let once =
        if fields.says("reference") { request.once_if_keyed(&caller)? } else { Some(request.once(&caller)?) };
    let content = read_line(fields)?;
    let render = |view: &BillView, lines: &[BillLine]| {
        answer(201, &WithLine { bill: view.into(), line_item: lines.first().map(BillLineBody::from) })
    };
    Ok(replied(api.app.append_line(&caller, id, content, once.as_ref(), &render).await?))
}

async fn append_many(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    request: Submission,
) -> Result<Response, Problem> {
    let contents = read_lines(request.fields()?)?;
    let render = |view: &BillView, lines: &[BillLine]| {
        let line_items = lines.iter().map(BillLineBody::from).collect();
        answer(201, &WithLines { bill: view.into(), line_items })
    };
    Ok(replied(api.app.append_lines(&caller, id, contents, &render).await?))
}

async fn list(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read(&caller, &uri);
    fields.finish(|| Some(()))?;
    let page = api.app.bill_lines(&caller, id, paging.request()?).await?;
    Ok(ok(&paging.body(&page, BillLineBody::from)))
}

const CSV: &str = "text/csv; charset=utf-8";
const EXPORTED: Limits = Limits { default: 5_000, most: 5_000 };
/// Read at a time.
const CHUNK: usize = 500;
/// In bytes. With one chunk more, and with all that escaping adds to it on its way, Lambda still lets it pass.
const LARGE_TABLE: usize = 2 * 1024 * 1024;

async fn export(
    State(api): State<Api>,
    Authenticated(caller): Authenticated,
    Ids(id): Ids<BillId>,
    uri: Uri,
) -> Result<Response, Problem> {
    let ListQuery { fields, paging } = ListQuery::read_within(EXPORTED, &caller, &uri);
    fields.finish(|| Some(()))?;
    let (table, next) = tabulated(&api, &caller, id, &paging).await?;
    let mut response = ([(header::CONTENT_TYPE, CSV)], table).into_response();
    let named = format!("attachment; filename=\"{id}.csv\"");
    add(&mut response, header::CONTENT_DISPOSITION, &named);
    if let Some(next) = next {
        let link = format!("<{}?{}>; rel=\"next\"", uri.path(), paging.query_from(&next));
        add(&mut response, header::LINK, &link);
    }
    Ok(response)
}

/// As many line items as one answer has, and the place where the next one goes on.
async fn tabulated(
    api: &Api,
    caller: &Caller,
    bill: BillId,
    paging: &Paging,
) -> Result<(Vec<u8>, Option<Position>), Problem> {
    let mut request = paging.request()?;
    let mut table = if request.after.is_none() { Table::with_header()? } else { Table::continued() };
    let mut left = request.limit;
    while left > 0 && table.size()? <= LARGE_TABLE {
        request.limit = left.min(CHUNK);
        let page = api.app.bill_lines(caller, bill, request.clone()).await?;
        page.data.iter().try_for_each(|line| table.push(line))?;
        left = left.saturating_sub(page.data.len());
        request.after = page.next;
        if request.after.is_none() {
            break;
        }
    }
    Ok((table.finish()?, request.after))
}

/// What is said in headers here is visible ASCII.
fn add(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = value.parse() {
        response.headers_mut().insert(name, value);
    }
}
