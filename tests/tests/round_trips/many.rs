//! All sessions: listed, counted, swept.

use rrss_test_servers::Flavor;

use crate::*;

#[tokio::test]
async fn a_page_of_a_listing_is_one_scan() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        for _ in 0..200 {
            stored(&store).await;
        }
        let (mut cursor, mut pages, mut found) = (None, 0, 0);
        loop {
            let (page, cost) = cost(&server, store.list(cursor, 20)).await;
            assert_eq!(cost, commands([("scan", 1)]), "{flavor}");
            let page = page.unwrap();
            pages += 1;
            found += page.ids.len();
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(
            pages > 1 && found >= 200,
            "{flavor}: {pages} pages, {found} ids"
        );
    }
}

#[tokio::test]
async fn a_count_scans_and_does_nothing_else() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        stored(&store).await;
        let (count, cost) = cost(&server, store.count()).await;
        assert_eq!(count.unwrap(), 1);
        assert_eq!(cost, commands([("scan", 1)]), "{flavor}");
    }
}

#[tokio::test]
async fn a_sweep_is_no_command_because_redis_expires_by_itself() {
    for flavor in Flavor::ALL {
        let (server, store) = connected(flavor).await;
        stored(&store).await;
        let (swept, cost) = cost(&server, store.sweep()).await;
        assert_eq!(swept.unwrap(), 0);
        assert_eq!(cost, commands([]), "{flavor}");
    }
}
