#![doc = include_str!("../README.md")]

mod devices;
mod open;
mod pages;
#[cfg(feature = "suite")]
pub mod suite;

pub use devices::{Device, devices, end_device, end_other_devices, new_device};
pub use open::{address, asked_to_stop, run, store};
pub use pages::{Cart, GOODS, about, add, customer, front, your_devices};
