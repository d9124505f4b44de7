//! A token against forged requests (CSRF).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rrss::ErrorKind;
use subtle::ConstantTimeEq as _;

use crate::error::Result;
use crate::session::Session;

/// The field of the session that keeps the token.
pub(crate) const FIELD: &str = "csrf";

impl Session {
    /// The session's token against forged requests: 43 characters, which stand for 256 random bits. Put it into every form,
    /// and [check](Session::is_csrf_token) what comes back: the synchronizer token pattern of OWASP's CSRF Prevention Cheat
    /// Sheet. It is made at its first use and kept in the field `csrf`; [`rotate`](Session::rotate) makes way for a new one.
    ///
    /// `SameSite=Lax`, which the cookie has, keeps other sites from posting with it in browsers of today; the token holds
    /// where an older browser, or a host under the same domain, does.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded, or the operating system gives no random bytes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_axum::{Result, Session};
    /// async fn form(session: Session) -> Result<String> {
    ///     let token = session.csrf_token().await?;
    ///     Ok(format!(r#"<input type="hidden" name="csrf" value="{token}">"#))
    /// }
    ///
    /// async fn transfer(session: Session, csrf: String) -> Result<&'static str> {
    ///     if !session.is_csrf_token(&csrf).await? {
    ///         return Ok("the form is too old; please load it again");
    ///     }
    ///     Ok("done")
    /// }
    /// ```
    pub async fn csrf_token(&self) -> Result<String> {
        if let Some(token) = self.get(FIELD).await? {
            return Ok(token);
        }
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|error| {
            rrss::Error::new(
                ErrorKind::Unavailable,
                "the operating system gave no random bytes for a token against forged requests",
            )
            .with_source(error)
        })?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        self.insert(FIELD, &token).await?;
        Ok(token)
    }

    /// Whether `token` is the session's. A session that has none yet has no right one. It compares in constant time, so
    /// that the time that an answer takes tells nothing of how much of a guess was right.
    ///
    /// # Errors
    ///
    /// Where the session cannot be loaded.
    pub async fn is_csrf_token(&self, token: &str) -> Result<bool> {
        let expected: Option<String> = self.get(FIELD).await?;
        Ok(expected.is_some_and(|expected| expected.as_bytes().ct_eq(token.as_bytes()).into()))
    }
}
