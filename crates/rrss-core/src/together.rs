//! Fields that stand or fall together.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, DeserializeSeed, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// Groups of fields that stand or fall together when the changes of two requests are merged.
///
/// Where a session has written one field of a group, all fields of that group are saved as this session has them: of two
/// concurrent changes to a group the later save wins whole. A field is in one group at most, and a group has two fields or more.
///
/// # Examples
///
/// ```
/// use rrss_core::{ErrorKind, Together};
///
/// let together = Together::new([["user_id", "role"]])?;
/// assert_eq!(together.groups().count(), 1);
/// assert_eq!(Together::new([["user_id"]]).unwrap_err().kind(), ErrorKind::Config);
/// # Ok::<(), rrss_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Together {
    groups: Vec<Vec<String>>,
}

impl Together {
    /// These groups.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] where a group has fewer than two fields, a name is empty, or a field occurs twice.
    pub fn new<G, F>(groups: impl IntoIterator<Item = G>) -> Result<Self>
    where
        G: IntoIterator<Item = F>,
        F: Into<String>,
    {
        let mut together = Self::default();
        for group in groups {
            let group = group.into_iter().map(Into::into).collect();
            together
                .add(group)
                .map_err(|wrong| Error::new(ErrorKind::Config, format!("`together`: {wrong}")))?;
        }
        Ok(together)
    }

    /// The groups.
    pub fn groups(&self) -> impl Iterator<Item = &[String]> {
        self.groups.iter().map(Vec::as_slice)
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    fn add(&mut self, group: Vec<String>) -> Result<(), String> {
        if group.iter().any(String::is_empty) {
            return Err("the name of a field is empty; write the field that is meant".to_owned());
        }
        if let [] | [_] = &group[..] {
            return Err(
                "a group needs two fields or more; add those that are to change with it, or remove the group".to_owned(),
            );
        }
        for (at, field) in group.iter().enumerate() {
            if group[..at].contains(field) {
                return Err(format!(
                    "the field `{field}` is named twice in one group; remove one of the two"
                ));
            }
            if self.groups.iter().flatten().any(|other| other == field) {
                return Err(format!(
                    "the field `{field}` is in two groups; make one group of the two, or remove it from one"
                ));
            }
        }
        self.groups.push(group);
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Together {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Groups)
    }
}

/// Reads the groups one by one, so that an error is at the group that it is about.
struct Groups;

impl<'de> Visitor<'de> for Groups {
    type Value = Together;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of groups of fields")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut groups: A) -> Result<Together, A::Error> {
        let mut together = Together::default();
        while groups.next_element_seed(Group(&mut together))?.is_some() {}
        Ok(together)
    }
}

struct Group<'t>(&'t mut Together);

impl<'de> DeserializeSeed<'de> for Group<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        struct Fields<'t>(&'t mut Together);

        impl<'de> Visitor<'de> for Fields<'_> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of fields")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
                let mut group = Vec::new();
                while let Some(field) = fields.next_element()? {
                    group.push(field);
                }
                self.0.add(group).map_err(de::Error::custom)
            }
        }

        deserializer.deserialize_seq(Fields(self.0))
    }
}

impl JsonSchema for Together {
    fn schema_name() -> Cow<'static, str> {
        "Together".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "array",
            "items": {
                "type": "array",
                "items": { "type": "string", "minLength": 1 },
                "minItems": 2,
                "uniqueItems": true,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(groups: &[&[&str]], why: &str) {
        let groups = groups.iter().map(|group| group.iter().copied());
        let error = Together::new(groups).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(why), "{error}");
    }

    #[test]
    fn what_is_no_group_is_refused() {
        refused(&[&["a"]], "two fields or more");
        refused(&[&[]], "two fields or more");
        refused(&[&["a", ""]], "is empty");
        refused(&[&["a", "a"]], "`a` is named twice");
        refused(&[&["a", "b"], &["c", "b"]], "`b` is in two groups");
        refused(&[&["a", "b"], &["b", "a"]], "in two groups");
    }

    #[test]
    fn groups_are_read_as_lists_of_lists() {
        let together: Together = serde_json::from_str(r#"[["a","b"],["c","d"]]"#).unwrap();
        assert_eq!(together, Together::new([["a", "b"], ["c", "d"]]).unwrap());
        assert!(serde_json::from_str::<Together>(r#"[["a"]]"#).is_err());
        assert!(Together::default().is_empty());
    }
}
