//! How customers prove who they are: passwords, how often one may be guessed, and sessions.

mod password;
mod session;
mod tries;

pub use password::{Credentials, Password, PasswordError, PasswordHash};
pub use session::{
    NotARefreshToken, Predecessor, Presented, RefreshSecret, RefreshToken, Salt, SecretHash, Session,
};
pub use tries::{Against, Tries, Wait};
