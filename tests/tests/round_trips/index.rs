//! With an index: its entries travel with the session.

use rrss::{Saved, Session};
use rrss_test_servers::Flavor;

use crate::*;

#[tokio::test]
async fn with_an_index_a_create_and_an_update_are_still_one_round_trip() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let (mut session, created) = cost(&server, stored(&store)).await;
        assert_eq!(created, all([&PUT, &[("set", 1)]]), "{flavor}");

        session.insert("theme", "dark").unwrap();
        let (saved, updated) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let expected = all([&PUT, &compares(flavor)]);
        assert_eq!(updated, expected, "{flavor}");

        let mut without = Session::new();
        without.insert("theme", "dark").unwrap();
        let (saved, created) = cost(&server, store.save(&mut without)).await;
        saved.unwrap();
        assert_eq!(created, commands([("set", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_save_that_changes_an_indexed_value_is_a_round_trip_more() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        session.insert("user", "bob").unwrap();
        let (saved, changed) = cost(&server, store.save(&mut session)).await;
        assert_eq!(saved.unwrap(), Saved::Replaced);
        let expected = all([&PUT, &compares(flavor), &REMOVE]);
        assert_eq!(changed, expected, "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_save_that_merges_puts_its_entries_with_each_try() {
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
        let refused: &[_] = match flavor {
            Flavor::Valkey => &[("set", 1)],
            _ => &[("evalsha", 1), ("get", 1)],
        };
        let expected = all([&PUT, refused, &PEEK, &PUT, &compares(flavor)]);
        assert_eq!(cost, expected, "{flavor}");
    }
}

#[tokio::test]
async fn with_an_index_a_touch_and_a_delete_load_first_and_are_one_round_trip_then() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        let session = stored(&store).await;
        let until = session.expires_at().unwrap();
        let touches = all([&PEEK, &PUT, &[("pexpireat", 1)]]);
        let (touched, touch) = cost(&server, store.touch(&id(&session))).await;
        assert!(touched.unwrap());
        assert_eq!(touch, touches, "{flavor}");
        let (touched, touch) = cost(&server, store.touch_until(&id(&session), until)).await;
        assert!(touched.unwrap());
        assert_eq!(touch, touches, "{flavor}");

        let (deleted, delete) = cost(&server, store.delete(&id(&session))).await;
        assert!(deleted.unwrap());
        let expected = all([&PEEK, &[("unlink", 1), ("zrem", 2)]]);
        assert_eq!(delete, expected, "{flavor}");
        assert_eq!(server.scan("*"), Vec::<String>::new());
    }
}

#[tokio::test]
async fn with_an_index_a_rotation_is_a_create_a_delete_and_the_removal_of_its_entries() {
    for flavor in Flavor::ALL {
        let (server, store) = connected_with_index(flavor).await;
        learn(&store).await;
        let mut session = stored(&store).await;
        let (rotated, cost) = cost(&server, store.rotate(&mut session)).await;
        rotated.unwrap();
        let expected = all([&PUT, &[("set", 1)], &REMOVE_COPIED, &[("zrem", 2)]]);
        assert_eq!(cost, expected, "{flavor}");
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
        assert_eq!(due, all([&PEEK, &PUT, &[("pexpireat", 1)]]), "{flavor}");
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
        let end: &[_] = &[("unlink", 1), ("zrem", 2)];
        let expected = all([&FIND, &PEEK, &PEEK, &PEEK, end, end, end]);
        assert_eq!(cost, expected, "{flavor}");
        assert_eq!(server.scan("*"), Vec::<String>::new());
    }
}
