#![doc = include_str!("../README.md")]

mod key;
mod nonce;
mod options;
mod rekey;
mod ring;
mod sealed;
mod step;

pub use key::{Key, KeyId};
pub use options::{KeyOption, Options};
pub use rekey::{Rekey, Rekeyed};
pub use sealed::key_id_of;
pub use step::Encryption;
