//! Values for the next request: "Saved.", after a redirect.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::session::Session;

/// In front of the name of a field that is to be read once.
const PREFIX: &str = "flash.";

impl Session {
    /// Keeps a value until a request [takes](Session::take_flash) it. It is the field `flash.NAME` of the session.
    ///
    /// # Errors
    ///
    /// As [`insert`](Session::insert).
    ///
    /// # Examples
    ///
    /// ```
    /// # use rrss_axum::{Result, Session};
    /// async fn save(session: Session) -> Result<()> {
    ///     session.flash("notice", "Saved.").await
    /// }
    ///
    /// async fn next_page(session: Session) -> Result<Option<String>> {
    ///     session.take_flash("notice").await
    /// }
    /// ```
    pub async fn flash<T: Serialize + Sync + ?Sized>(&self, name: &str, value: &T) -> Result<()> {
        self.insert(&field(name), value).await
    }

    /// The value that an earlier request, or this one, kept under this name; it is gone then.
    ///
    /// # Errors
    ///
    /// As [`get`](Session::get); a value that is not a `T` stays.
    pub async fn take_flash<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let field = field(name);
        let value = self.get(&field).await?;
        if value.is_some() {
            self.remove(&field).await?;
        }
        Ok(value)
    }
}

fn field(name: &str) -> String {
    format!("{PREFIX}{name}")
}
