//! With an index: its entries travel with the session.

use rrss::{Saved, Session};
use rrss_test_servers::Flavor;

use crate::*;

/// The script of an update with an index, and what it calls for the session.
const UPDATE: [(&str, u64); 3] = [("evalsha", 1), ("get", 1), ("set", 1)];

/// The script of a delete with an index, and what it calls.
const END: [(&str, u64); 4] = [("evalsha", 1), ("exists", 1), ("unlink", 1), ("zrem", 2)];

#[tokio::test]
async fn with_an_index_a_create_and_an_update_are_still_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let (mut session, created) = cost(&server, stored(&store)).await;
        let create: &[_] = &[("evalsha", 1), ("exists", 1), ("set", 1)];
        assert_eq!(steady(created), all([create, &ENTRY]), "{flavor}");

        session.insert("theme", "dark").unwrap();
        let (saved, updated) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        assert_eq!(steady(updated), all([&UPDATE, &ENTRY]), "{flavor}");

        let mut without = Session::new();
        without.insert("theme", "dark").unwrap();
        let (saved, created) = cost(&server, store.save(&mut without)).await;
        saved.unwrap();
        assert_eq!(created, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_save_that_changes_an_indexed_value_is_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        let (saved, changed) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let expected = all([&UPDATE, &ENTRY, &[("zrem", 2)]]);
        assert_eq!(steady(changed), expected, "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_save_that_merges_puts_its_entries_once() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let mut other = store.load(&id(&session)).await.unwrap().unwrap();
        other.insert("theme", "dark").unwrap();
        store.save(&mut other).await.unwrap();
        session.insert("cart", &1).unwrap();
        let (saved, cost) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Merged);
        let refused: &[_] = &[("evalsha", 1), ("get", 1)];
        let expected = all([refused, &PEEK, &UPDATE, &ENTRY]);
        assert_eq!(steady(cost), expected, "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_touch_and_a_delete_load_first_and_are_one_round_trip_then() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        let session = stored(&store).await;
        let until = session.expires_at().unwrap();
        let touches = steady(all([&PEEK, &TOUCH, &ENTRY]));
        let (touched, touch) = cost(&server, store.touch(&id(&session))).await;
        assert!(touched.unwrap());
        assert!(matches!(touch["pexpireat"], 1 | 2), "{flavor}: {touch:?}");
        assert_eq!(steady(touch), touches, "{flavor}");
        let (touched, touch) = cost(&server, store.touch_until(&id(&session), until)).await;
        assert!(touched.unwrap());
        assert!(matches!(touch["pexpireat"], 1 | 2), "{flavor}: {touch:?}");
        assert_eq!(steady(touch), touches, "{flavor}");

        let (deleted, delete) = cost(&server, store.delete(&id(&session))).await;
        assert!(deleted.unwrap());
        let expected = all([&PEEK, &END]);
        assert_eq!(delete, expected, "{flavor}");
        assert_eq!(server.scan("*"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn with_an_index_a_rotation_is_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        let expected = all([&ROTATE, &ENTRY, &[("zrem", 2)]]);
        assert_eq!(steady(cost), expected, "{flavor}");
    }
}

#[tokio::test]
async fn a_load_asks_nothing_of_the_index() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        let session = stored(&store).await;
        let (loaded, cost) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert_eq!(cost, commands([("get", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_renewal_moves_the_entry_in_the_same_round_trip() {
    for flavor in Flavor::ALL {
        let steps = "{ type = 'expiry', duration = '7d', renew = 'load', renew_after = '1d' },
            { type = 'index', fields = ['user'] },";
        let (server, store) = connected_by(flavor, steps, "").await;
        let session = stored(&store).await;
        let key = format!("sessions:{}", id(&session).as_str());
        server.command(&["EXPIRE", &key, "3600"]);
        let (loaded, due) = cost(&server, store.load(&id(&session))).await;
        assert!(loaded.unwrap().is_some());
        assert!(matches!(due["pexpireat"], 1 | 2), "{flavor}: {due:?}");
        let expected = steady(all([&PEEK, &TOUCH, &ENTRY]));
        assert_eq!(steady(due), expected, "{flavor}");
    }
}

#[tokio::test]
async fn finding_is_a_round_trip_for_the_page_and_a_load_of_each_session() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        for _ in 0..3 {
            stored(&store).await;
        }
        let (found, page) = cost(&server, store.find("user", "ann", None, 10)).await;
        assert_eq!(found.unwrap().sessions.len(), 3);
        assert_eq!(page, all([&FIND, &PEEK, &PEEK, &PEEK]), "{flavor}");
        let (found, page) = cost(&server, store.find("user", "bob", None, 10)).await;
        assert_eq!(found.unwrap().sessions.len(), 0);
        assert_eq!(page, all([&FIND]), "{flavor}");

        let (revoked, cost) = cost(&server, store.revoke("user", "ann")).await;
        assert_eq!(revoked.unwrap(), 3);
        let expected = all([&FIND, &PEEK, &PEEK, &PEEK, &END, &END, &END]);
        assert_eq!(steady(cost), expected, "{flavor}");
        assert_eq!(server.scan("*"), Vec::<String>::new());
    }
}
