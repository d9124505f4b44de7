//! A serializer that hands everything on to another one, but what JSON cannot hold or `serde_json` cannot read again.

use std::cell::Cell;
use std::fmt;

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::MAX_DEPTH;

/// What `serde_json` calls the struct that a `RawValue` is serialised as.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// A value or a serializer within a value that is checked, with so many levels of nesting left.
pub(super) struct Checked<'c, V> {
    inner: V,
    left: usize,
    /// Set where a part of the value is JSON text already, which is not looked into here.
    has_raw: &'c Cell<bool>,
}

impl<'c, V> Checked<'c, V> {
    pub(super) fn new(inner: V, has_raw: &'c Cell<bool>) -> Self {
        Self {
            inner,
            left: MAX_DEPTH,
            has_raw,
        }
    }

    /// What stands at the same level.
    fn with<W>(&self, inner: W) -> Checked<'c, W> {
        Checked {
            inner,
            left: self.left,
            has_raw: self.has_raw,
        }
    }

    /// Enters so many arrays or objects.
    fn enter<E: Error>(self, levels: usize) -> Result<(V, Checked<'c, ()>), E> {
        let mut level = self.with(());
        match level.left.checked_sub(levels) {
            Some(left) => level.left = left,
            None => {
                return Err(E::custom(format_args!(
                    "it is nested deeper than {MAX_DEPTH}; store it flatter"
                )));
            }
        }
        Ok((self.inner, level))
    }
}

impl<T: Serialize + ?Sized> Serialize for Checked<'_, &T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.inner.serialize(self.with(serializer))
    }
}

fn not_finite<E: Error>() -> E {
    E::custom("JSON has no form for NaN and infinite numbers; leave it out, or store it as text")
}

/// Hands a scalar on.
macro_rules! scalars {
    ($($method:ident: $type:ty,)+) => {
        $(
            fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
                self.inner.$method(value)
            }
        )+
    };
}

impl<'c, S: Serializer> Serializer for Checked<'c, S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Checked<'c, S::SerializeSeq>;
    type SerializeTuple = Checked<'c, S::SerializeTuple>;
    type SerializeTupleStruct = Checked<'c, S::SerializeTupleStruct>;
    type SerializeTupleVariant = Checked<'c, S::SerializeTupleVariant>;
    type SerializeMap = Checked<'c, S::SerializeMap>;
    type SerializeStruct = Checked<'c, S::SerializeStruct>;
    type SerializeStructVariant = Checked<'c, S::SerializeStructVariant>;

    scalars! {
        serialize_bool: bool,
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
        serialize_char: char,
        serialize_str: &str,
        serialize_unit_struct: &'static str,
    }

    fn serialize_f32(self, value: f32) -> Result<S::Ok, S::Error> {
        if !value.is_finite() {
            return Err(not_finite());
        }
        self.inner.serialize_f32(value)
    }

    fn serialize_f64(self, value: f64) -> Result<S::Ok, S::Error> {
        if !value.is_finite() {
            return Err(not_finite());
        }
        self.inner.serialize_f64(value)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<S::Ok, S::Error> {
        let (inner, _) = self.enter(1)?;
        inner.serialize_bytes(value)
    }

    fn serialize_none(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_none()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        let value = self.with(value);
        self.inner.serialize_some(&value)
    }

    fn serialize_unit(self) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let value = self.with(value);
        self.inner.serialize_newtype_struct(name, &value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        let (inner, level) = self.enter(1)?;
        inner.serialize_newtype_variant(name, index, variant, &level.with(value))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let (inner, level) = self.enter(1)?;
        Ok(level.with(inner.serialize_seq(length)?))
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        let (inner, level) = self.enter(1)?;
        Ok(level.with(inner.serialize_tuple(length)?))
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        let (inner, level) = self.enter(1)?;
        Ok(level.with(inner.serialize_tuple_struct(name, length)?))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        let (inner, level) = self.enter(2)?;
        let inner = inner.serialize_tuple_variant(name, index, variant, length)?;
        Ok(level.with(inner))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let (inner, level) = self.enter(1)?;
        Ok(level.with(inner.serialize_map(length)?))
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let is_raw = name == RAW_VALUE;
        if is_raw {
            self.has_raw.set(true);
        }
        let (inner, level) = self.enter(usize::from(!is_raw))?;
        Ok(level.with(inner.serialize_struct(name, length)?))
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        let (inner, level) = self.enter(2)?;
        let inner = inner.serialize_struct_variant(name, index, variant, length)?;
        Ok(level.with(inner))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Hands the parts of an array or object on, each checked.
macro_rules! parts {
    ($($part:ident: $($method:ident $(($key:ident: $type:ty))?),+;)+) => {
        $(
            impl<S: $part> $part for Checked<'_, S> {
                type Ok = S::Ok;
                type Error = S::Error;

                $(
                    fn $method<T: Serialize + ?Sized>(
                        &mut self,
                        $($key: $type,)?
                        value: &T,
                    ) -> Result<(), S::Error> {
                        let value = self.with(value);
                        self.inner.$method($($key,)? &value)
                    }
                )+

                fn end(self) -> Result<S::Ok, S::Error> {
                    self.inner.end()
                }
            }
        )+
    };
}

parts! {
    SerializeSeq: serialize_element;
    SerializeTuple: serialize_element;
    SerializeTupleStruct: serialize_field;
    SerializeTupleVariant: serialize_field;
    SerializeStruct: serialize_field(key: &'static str);
    SerializeStructVariant: serialize_field(key: &'static str);
}

impl<S: SerializeMap> SerializeMap for Checked<'_, S> {
    type Ok = S::Ok;
    type Error = S::Error;

    /// Of keys, `serde_json` itself refuses all that are no text, and numbers that are not finite.
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        let value = self.with(value);
        self.inner.serialize_value(&value)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}
