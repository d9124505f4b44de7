//! The default pipeline on the backends that need no server.

use std::path::Path;

use rrss::{Embedded, Expiry, JsonCodec, KeyMapper, Memory, Store, StoreBuilder, embedded};

use crate::peer::{Entrant, Rrss};

pub const MEMORY: &str = "rrss, memory";
pub const EMBEDDED: &str = "rrss, embedded";

pub fn entrants() -> Vec<Entrant> {
    vec![
        Entrant::new(MEMORY, |_| async {
            let store = pipeline().step::<Memory>(Default::default());
            Ok(Rrss(store.build()?))
        }),
        Entrant::new(EMBEDDED, |folder: String| async move {
            let options = embedded::Options::at(Path::new(&folder).join("sessions"));
            Ok(Rrss(pipeline().step::<Embedded>(options).build()?))
        }),
    ]
}

fn pipeline() -> StoreBuilder {
    Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default())
        .step::<JsonCodec>(Default::default())
}
