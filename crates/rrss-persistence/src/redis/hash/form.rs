//! By what is told whether a session is still the one that was loaded: all of its texts.
//!
//! They are compared one by one, so the order in which a server names them does not matter. What is compared is what the
//! session holds, and its own deadline; the times of its creation and last write are not.

use bytes::Bytes;
use rrss_core::{Session, StoredForm};

use super::text::{self, Readers};

/// A list of texts as bytes, each behind its length.
#[derive(Default)]
pub(super) struct Form(Vec<u8>);

impl Form {
    /// The form of a session with this deadline of its own, for `bytes` of texts.
    pub(super) fn new(until: &str, bytes: usize) -> Self {
        let mut form = Self(Vec::with_capacity(bytes + until.len() + 8));
        form.put(until);
        form
    }

    pub(super) fn put(&mut self, text: &str) {
        self.0.extend_from_slice(&(text.len() as u64).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// What a server holds once `session` is written; `None` where it cannot be.
    pub(super) fn of(session: &Session, keeps_head: bool) -> Option<Self> {
        let until = match session.own_deadline() {
            Some(until) if keeps_head => until.as_millis().to_string(),
            _ => String::new(),
        };
        let readers = match keeps_head {
            true => Readers::Rrss,
            false => Readers::Others,
        };
        let fields = session.iter_raw();
        let bytes = fields.map(|(name, raw)| name.len() + raw.len() + 16).sum();
        let mut form = Self::new(&until, bytes);
        for (name, raw) in session.iter_raw() {
            form.put(name);
            form.put(&text::stored(name, raw, readers).ok()?);
        }
        Some(form)
    }
}

impl From<Form> for StoredForm {
    fn from(form: Form) -> Self {
        Bytes::from(form.0).into()
    }
}

/// The texts of a form: its deadline first, then names and values by turns. `None` for what is no form.
pub(super) fn texts(form: &StoredForm) -> Option<Vec<&[u8]>> {
    let (mut texts, mut rest) = (Vec::new(), form.as_bytes());
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
        let (text, after) = after.split_at_checked(length)?;
        texts.push(text);
        rest = after;
    }
    (rest.is_empty() && texts.len() % 2 == 1).then_some(texts)
}

#[cfg(test)]
mod tests {
    use rrss_core::Timestamp;

    use super::*;

    #[test]
    fn a_form_has_the_deadline_and_every_name_and_text() {
        let mut session = Session::new();
        session.insert("theme", "dark").unwrap();
        session.insert("", &[1]).unwrap();
        session.set_expires_at(Timestamp::from_millis(7));
        for (keeps_head, until) in [(true, &b"7"[..]), (false, b"")] {
            let form = StoredForm::from(Form::of(&session, keeps_head).unwrap());
            let expected: [&[u8]; 5] = [until, b"theme", b"dark", b"", b"[1]"];
            assert_eq!(texts(&form).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_form_is_told() {
        let form = StoredForm::from(Form::new("", 0));
        assert_eq!(texts(&form).unwrap().len(), 1);
        for foreign in [
            &b""[..],
            b"{}",
            b"{\"theme\":\"dark\"}",
            &[255; 8],
            &[0; 16],
            &[0; 9],
        ] {
            let foreign = StoredForm::from(Bytes::copy_from_slice(foreign));
            assert_eq!(texts(&foreign), None);
        }
    }
}
