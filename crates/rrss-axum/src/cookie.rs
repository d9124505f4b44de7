//! The session cookie: how it is read and written.

use std::time::Duration;

use cookie::Cookie;
use http::{HeaderMap, HeaderValue, header};
use rrss::SessionId;

pub use cookie::SameSite;

/// No id that a key mapper makes is longer; what is, is not looked at.
const LONGEST_ID: usize = 128;

/// How the cookie is named and which attributes it carries (RFC 6265bis).
#[derive(Debug, Clone)]
pub(crate) struct CookieConfig {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) secure: bool,
}

impl Default for CookieConfig {
    fn default() -> Self {
        Self {
            name: "__Host-session".to_owned(),
            path: "/".to_owned(),
            domain: None,
            same_site: SameSite::Lax,
            secure: true,
        }
    }
}

impl CookieConfig {
    /// The session id that a request brings, from whichever of its `Cookie` headers.
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<SessionId> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.name)
            .map(|(_, id)| id)
            .filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
            .map(SessionId::from)
    }

    /// The `Set-Cookie` value that hands the id to the browser, for as long as the session lives; until the
    /// browser ends where the session has no deadline.
    pub(crate) fn write(&self, id: &SessionId, lives: Option<Duration>) -> Option<HeaderValue> {
        let mut cookie = self.blank(id.as_str().to_owned());
        // Whole seconds, rounded up: a browser that holds a dead id for a moment does no harm.
        cookie.set_max_age(lives.map(|lives| {
            let seconds = lives.as_millis().div_ceil(1000);
            cookie::time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
        }));
        header_value(&cookie)
    }

    /// The `Set-Cookie` value that takes the id away from the browser.
    pub(crate) fn remove(&self) -> Option<HeaderValue> {
        let mut cookie = self.blank(String::new());
        cookie.make_removal();
        header_value(&cookie)
    }

    fn blank(&self, value: String) -> Cookie<'_> {
        let mut cookie = Cookie::new(&self.name, value);
        cookie.set_http_only(true);
        cookie.set_secure(self.secure);
        cookie.set_same_site(self.same_site);
        cookie.set_path(&self.path);
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain);
        }
        cookie
    }
}

fn header_value(cookie: &Cookie<'_>) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&cookie.encoded().to_string()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::COOKIE, HeaderValue::from_str(value).unwrap());
        }
        CookieConfig::default()
            .read(&headers)
            .map(|id| id.as_str().to_owned())
    }

    #[test]
    fn the_id_is_found_among_other_cookies() {
        assert_eq!(
            read(&["a=1; __Host-session=abc; b=2"]).as_deref(),
            Some("abc")
        );
        assert_eq!(
            read(&["a=1", "b=2;__Host-session=abc"]).as_deref(),
            Some("abc")
        );
    }

    #[test]
    fn what_is_no_id_is_no_cookie() {
        let long = format!("__Host-session={}", "a".repeat(8192));
        for value in [
            "",
            "session=abc",
            "__Host-session",
            "__Host-session=",
            "x__Host-session=abc",
            &long,
        ] {
            assert_eq!(read(&[value]), None, "{value}");
        }
    }

    #[test]
    fn the_attributes_are_secure_by_default() {
        let value = CookieConfig::default()
            .write(&"abc".into(), Some(Duration::from_secs(60)))
            .unwrap();
        assert_eq!(
            value.to_str().unwrap(),
            "__Host-session=abc; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert!(value.is_sensitive());
    }

    #[test]
    fn a_removal_has_the_same_name_and_path_and_no_life() {
        let value = CookieConfig::default().remove().unwrap();
        let value = value.to_str().unwrap();
        assert!(value.starts_with("__Host-session=;"), "{value}");
        assert!(
            value.contains("Path=/") && value.contains("Max-Age=0") && value.contains("Secure"),
            "{value}"
        );
    }
}
