//! The session cookie: how it is read and written.

mod keys;

use std::fmt::Write;
use std::time::Duration;

use cookie::Cookie;
use http::{HeaderMap, HeaderValue, header};
use rrss::SessionId;

pub use cookie::{Key, SameSite};

pub use self::keys::CookieKeys;
pub(crate) use self::keys::Seal;

/// No id that a key mapper makes is longer; what is, is not looked at.
const LONGEST_ID: usize = 128;

/// No such id is longer once it is encrypted, and written in the characters that a cookie may have.
const LONGEST_SEALED: usize = 1024;

/// How many cookies of the name are looked at: more come from nobody who means well.
const MOST_LOOKED_AT: usize = 4;

/// As long as a cookie with an id of ours is, if it is not sealed.
const USUAL_LENGTH: usize = 128;

/// The name, where none is given.
const NAME: &str = "__Host-session";

/// A session id that a request brings.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) id: SessionId,
    /// The browser is to get the cookie anew, by the first key.
    pub(crate) is_of_an_older_key: bool,
}

impl Presented {
    fn by_the_first_key(id: &str) -> Self {
        Self {
            id: SessionId::from(id),
            is_of_an_older_key: false,
        }
    }
}

/// How the cookie is named and which attributes it carries (RFC 6265bis).
#[derive(Debug, Clone)]
pub(crate) struct CookieConfig {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) domain: Option<String>,
    pub(crate) same_site: SameSite,
    pub(crate) secure: bool,
    pub(crate) keys: Option<(Seal, CookieKeys)>,
}

impl Default for CookieConfig {
    fn default() -> Self {
        Self {
            name: NAME.to_owned(),
            path: "/".to_owned(),
            domain: None,
            same_site: SameSite::Lax,
            secure: true,
            keys: None,
        }
    }
}

impl CookieConfig {
    /// The session id that a request brings, from whichever of its `Cookie` headers. Of several cookies of the name it is the
    /// first that can be one of ours: browsers send the one with the more specific path first (RFC 6265bis, 5.7.3).
    pub(crate) fn read(&self, headers: &HeaderMap) -> Option<Presented> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| std::str::from_utf8(pair).ok())
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name)
            .take(MOST_LOOKED_AT)
            .find_map(|(_, value)| self.open(value))
    }

    fn open(&self, value: &str) -> Option<Presented> {
        let Some((seal, keys)) = &self.keys else {
            return is_like_an_id(value).then(|| Presented::by_the_first_key(value));
        };
        if value.len() > LONGEST_SEALED {
            return None;
        }
        let pair = format!("{}={value}", self.name);
        let cookie = Cookie::parse_encoded(pair).ok()?;
        let (id, is_of_the_first) = keys.open(*seal, &cookie)?;
        is_like_an_id(&id).then(|| Presented {
            id: SessionId::from(id),
            is_of_an_older_key: !is_of_the_first,
        })
    }

    /// The `Set-Cookie` value that hands the id to the browser, for as long as the session lives; until the
    /// browser ends where the session has no deadline.
    pub(crate) fn write(&self, id: &SessionId, lives: Option<Duration>) -> Option<HeaderValue> {
        let mut cookie = self.blank(id.as_str());
        // Whole seconds, rounded up: a browser that holds a dead id for a moment does no harm.
        cookie.set_max_age(lives.map(|lives| {
            let seconds = lives.as_millis().div_ceil(1000);
            cookie::time::Duration::seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
        }));
        match &self.keys {
            Some((seal, keys)) => header_value(&keys.seal(*seal, cookie.into_owned())?),
            None => header_value(&cookie),
        }
    }

    /// The same with a name that browsers accept with the other attributes: they drop a cookie with a `__Host-` name that has
    /// another path or a domain, and one with that or a `__Secure-` name that is not secure (RFC 6265bis, 4.1.3).
    pub(crate) fn with_a_name_that_fits(mut self) -> Self {
        let without = |prefix: &str| {
            let (start, rest) = self.name.split_at_checked(prefix.len())?;
            start.eq_ignore_ascii_case(prefix).then(|| rest.to_owned())
        };
        let (host, secure) = (without("__Host-"), without("__Secure-"));
        if !self.secure {
            self.name = host.or(secure).unwrap_or(self.name);
        } else if let Some(rest) = host
            && (self.domain.is_some() || self.path != "/")
        {
            self.name = format!("__Secure-{rest}");
        }
        self
    }

    /// The `Set-Cookie` value that takes the id away from the browser.
    pub(crate) fn remove(&self) -> Option<HeaderValue> {
        let mut cookie = self.blank("");
        cookie.make_removal();
        header_value(&cookie)
    }

    fn blank<'c>(&'c self, value: &'c str) -> Cookie<'c> {
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

fn is_like_an_id(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST_ID
}

fn header_value(cookie: &Cookie<'_>) -> Option<HeaderValue> {
    let mut text = String::with_capacity(USUAL_LENGTH);
    write!(text, "{}", cookie.encoded()).ok()?;
    let mut value = HeaderValue::try_from(text).ok()?;
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
            .map(|presented| presented.id.as_str().to_owned())
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
