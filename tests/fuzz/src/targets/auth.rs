//! Signing in, refreshing and signing out, as Lambda hands them over: whatever is sent, nobody is let in who wasn't asked for a
//! password.

use super::{Subject, Target, bytes_of};
use crate::request::Written;
use crate::world::World;
use fatura_application::SignIn;
use lambda_http::Body;
use serde_json::Value;

/// Few, because each sign-in costs what comparing a password has to.
pub(super) const TARGET: Target = Target::in_world("auth", 120, words, open);

fn words() -> Vec<Vec<u8>> {
    bytes_of(&[
        "email",
        "password",
        "refresh_token",
        "ana@example.com",
        "frt_",
        "/v1/auth",
        "/refresh",
        "/sign-out",
    ])
}

fn open() -> Subject {
    let world = World::open();
    let sign_in = SignIn {
        store: world.table.store.clone(),
        people: world.table.store.clone(),
        tokens: world.tokens.clone(),
        clock: world.clock.clone(),
        entropy: world.app.entropy.clone(),
    };
    Subject::new(move |input| {
        let written = Written::read(input);
        let Some(request) = written.request() else { return };
        let answer = world.block_on(auth::handle(&sign_in, request));
        let status = answer.status().as_u16();
        assert!(status < 500, "{status}");
        let Body::Text(text) = answer.body() else { return assert_eq!(status, 204) };
        assert!(text.len() < 4_000, "an answer of {} bytes", text.len());
        let shown: Value = serde_json::from_str(text).unwrap();
        assert!(shown.get("access_token").is_none(), "let in without a password");
    })
}
