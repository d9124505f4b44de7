//! Keys that sign or encrypt the session cookie.

use std::fmt;

use cookie::{Cookie, CookieJar, Key};

/// The keys of the session cookie: the first signs or encrypts, all of them read; see
/// [`SessionLayer::signed`](crate::SessionLayer::signed) and [`SessionLayer::encrypted`](crate::SessionLayer::encrypted).
///
/// To change the key, put the new one first and keep the old one as an older one for as long as a cookie lives: a cookie that
/// an older key made is made anew by the first.
///
/// # Examples
///
/// ```
/// use rrss_axum::{CookieKeys, Key, SessionLayer};
///
/// # fn layer(store: rrss::Store, new: Key, old: Key) -> SessionLayer {
/// SessionLayer::new(store).signed(CookieKeys::new(new).and_older([old]))
/// # }
/// ```
#[derive(Clone)]
pub struct CookieKeys {
    keys: Vec<Key>,
}

/// What is done with the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seal {
    Signed,
    Encrypted,
}

impl CookieKeys {
    /// One key.
    #[must_use]
    pub fn new(key: Key) -> Self {
        Self { keys: vec![key] }
    }

    /// Others that were the first before, which still read.
    #[must_use]
    pub fn and_older(mut self, older: impl IntoIterator<Item = Key>) -> Self {
        self.keys.extend(older);
        self
    }

    /// The cookie with its value signed or encrypted by the first key.
    pub(super) fn seal(&self, seal: Seal, cookie: Cookie<'static>) -> Option<Cookie<'static>> {
        let (key, mut jar) = (self.keys.first()?, CookieJar::new());
        let name = cookie.name().to_owned();
        match seal {
            Seal::Signed => jar.signed_mut(key).add(cookie),
            Seal::Encrypted => jar.private_mut(key).add(cookie),
        }
        jar.get(&name).cloned()
    }

    /// The value that was sealed, and whether it was by the first key; `None` where no key fits.
    pub(super) fn open(&self, seal: Seal, cookie: &Cookie<'static>) -> Option<(String, bool)> {
        let jar = CookieJar::new();
        self.keys.iter().enumerate().find_map(|(at, key)| {
            let opened = match seal {
                Seal::Signed => jar.signed(key).verify(cookie.clone()),
                Seal::Encrypted => jar.private(key).decrypt(cookie.clone()),
            };
            Some((opened?.value().to_owned(), at == 0))
        })
    }
}

impl fmt::Debug for CookieKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CookieKeys({} [redacted])", self.keys.len())
    }
}
