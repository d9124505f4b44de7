//! A load whose two commands are answered by two nodes, since the session is taken away between them: by nodes that say what
//! the test makes them say, as no real one can be stopped at that point.

use std::io::{BufRead, BufReader, Result, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use rrss::{Expiry, KeyMapper};

use super::*;

/// One node, for one connection: what it has been asked for, and the way to tell something by itself.
struct Node {
    port: u16,
    heard: Arc<Mutex<Vec<String>>>,
    client: Arc<OnceLock<Mutex<TcpStream>>>,
}

impl Node {
    /// Answers what `answer` says to the name and the other words of each command.
    fn start(answer: impl Fn(u16, &str, &[Vec<u8>]) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let node = Self {
            port,
            heard: Arc::default(),
            client: Arc::default(),
        };
        let (heard, client) = (Arc::clone(&node.heard), Arc::clone(&node.client));
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut read = BufReader::new(stream.try_clone().unwrap());
            let client = client.get_or_init(|| Mutex::new(stream));
            // Until the store is dropped.
            while let Ok(words) = command(&mut read) {
                let name = String::from_utf8_lossy(&words[0]).to_uppercase();
                let bytes = answer(port, &name, &words[1..]);
                heard.lock().unwrap().push(name);
                client.lock().unwrap().write_all(&bytes).unwrap();
            }
        });
        node
    }

    fn heard(&self, name: &str) -> usize {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|word| *word == name).count()
    }

    fn invalidate(&self, key: &str) {
        let push = format!(
            ">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n{key}\r\n",
            key.len()
        );
        let mut client = self.client.get().unwrap().lock().unwrap();
        client.write_all(push.as_bytes()).unwrap();
    }
}

/// The words of the next command.
fn command(read: &mut impl BufRead) -> Result<Vec<Vec<u8>>> {
    let words = number(read)?;
    let word = |_| {
        let mut word = vec![0; number(read)? + 2];
        read.read_exact(&mut word)?;
        word.truncate(word.len() - 2);
        Ok(word)
    };
    (0..words).map(word).collect()
}

fn number(read: &mut impl BufRead) -> Result<usize> {
    let mut line = String::new();
    read.read_line(&mut line)?;
    let digits = line.trim_end().get(1..).unwrap_or_default();
    digits.parse().map_err(std::io::Error::other)
}

fn bulk(bytes: &[u8]) -> Vec<u8> {
    [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

const OK: &[u8] = b"+OK\r\n";
const HELLO: &[u8] = b"%1\r\n+proto\r\n:3\r\n";

/// The node that serves all slots, and has the session until its deadline is asked for; and the one it is on its way to.
fn two_nodes() -> [Node; 2] {
    let to = Node::start(|_, name, _| {
        match name {
            "HELLO" => HELLO,
            "PEXPIRETIME" => b":4000000000000\r\n",
            _ => OK,
        }
        .to_vec()
    });
    let (stored, port) = (Mutex::new(Vec::new()), to.port);
    let from = Node::start(move |own, name, words| match name {
        "HELLO" => HELLO.to_vec(),
        "CLUSTER" => {
            let all = format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:{own}\r\n");
            all.into()
        }
        "SET" => {
            stored.lock().unwrap().clone_from(&words[1]);
            OK.to_vec()
        }
        "GET" => bulk(&stored.lock().unwrap()),
        "PEXPIRETIME" => {
            let slot = RedisCluster::slot_of(&words[0]);
            format!("-ASK {slot} 127.0.0.1:{port}\r\n").into()
        }
        _ => OK.to_vec(),
    });
    [from, to]
}

fn here(node: &Node) -> Store {
    let redis = rrss::redis::Options {
        nodes: Some(vec![format!("127.0.0.1:{}", node.port).parse().unwrap()]),
        timeout: GENEROUS.into(),
        connect_timeout: GENEROUS.into(),
        ..Default::default()
    };
    let steps = Store::builder()
        .step::<KeyMapper>(Default::default())
        .step::<Expiry>(Default::default());
    on_redis(caching(steps, HOUR), redis)
}

/// What one node tells of ends it, whichever of the two that is.
#[tokio::test]
async fn a_load_that_two_nodes_answered_is_kept_while_neither_tells_of_a_change() {
    for by_the_old in [true, false] {
        let [from, to] = two_nodes();
        let here = here(&from);
        let mut session = Session::new();
        session.insert("count", &0).unwrap();
        here.save(&mut session).await.unwrap();
        let id = session.id().unwrap();
        for _ in 0..10 {
            assert_eq!(count(&here, id).await, 0);
        }
        assert_eq!((from.heard("GET"), to.heard("GET")), (1, 0));
        assert_eq!((to.heard("ASKING"), to.heard("PEXPIRETIME")), (1, 1));

        [&to, &from][usize::from(by_the_old)].invalidate(&key(id));
        let begun = Instant::now();
        while from.heard("GET") == 1 {
            assert!(begun.elapsed() < SOON, "by the old: {by_the_old}");
            assert_eq!(count(&here, id).await, 0);
            tokio::task::yield_now().await;
        }
    }
}
