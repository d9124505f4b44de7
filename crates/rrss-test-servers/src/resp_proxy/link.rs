//! One connection of a client, and the one to the server behind it.

use std::collections::VecDeque;
use std::io::{BufReader, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};

use super::gate::Gate;
use super::plan::Fault;
use super::{Shared, frame, lock};

const DISCARD: &[u8] = b"*1\r\n$7\r\nDISCARD\r\n";
const DISCARDED: &[u8] = b"-EXECABORT Transaction discarded because of previous errors.\r\n";

/// What the client is to be answered next, in order.
enum Pending {
    /// By this message of the proxy's.
    Own(Vec<u8>),
    /// By the server's answer to a command of this name, unless a fault is in its way.
    Server {
        name: String,
        fault: Option<OnAnswer>,
    },
}

/// What becomes of an answer.
enum OnAnswer {
    Hold(Gate),
    Cut,
    Swallow,
    /// The server answers something else than was asked.
    Replace(Vec<u8>),
}

/// The side of the client.
struct Client {
    stream: TcpStream,
    pending: VecDeque<Pending>,
    is_silent: bool,
}

impl Client {
    fn write(&mut self, message: &[u8]) {
        if !self.is_silent {
            let _ = self.stream.write_all(message);
        }
    }

    /// Answers what the proxy itself answers, up to the next answer of the server's.
    fn answer_own(&mut self) {
        while let Some(Pending::Own(_)) = self.pending.front() {
            if let Some(Pending::Own(message)) = self.pending.pop_front() {
                self.write(&message);
            }
        }
    }
}

/// Passes on what comes on the two connections, in threads that end with them.
pub(super) fn run(from_client: TcpStream, to_server: TcpStream, shared: &Arc<Shared>) {
    let (Ok(to_client), Ok(from_server)) = (from_client.try_clone(), to_server.try_clone()) else {
        return;
    };
    // A test counts round trips, not the delay of small packets.
    let _ = (to_client.set_nodelay(true), to_server.set_nodelay(true));
    let client = Arc::new(Mutex::new(Client {
        stream: to_client,
        pending: VecDeque::new(),
        is_silent: false,
    }));
    let commands = Commands {
        from: BufReader::new(from_client),
        to: to_server,
        client: Arc::clone(&client),
        shared: Arc::clone(shared),
        transaction: None,
    };
    let shared = Arc::clone(shared);
    std::thread::spawn(move || commands.pass_on());
    std::thread::spawn(move || pass_answers(from_server, &client, &shared));
}

/// What comes from the client.
struct Commands {
    from: BufReader<TcpStream>,
    to: TcpStream,
    client: Arc<Mutex<Client>>,
    shared: Arc<Shared>,
    /// Between `MULTI` and `EXEC`: whether a command was refused.
    transaction: Option<bool>,
}

impl Commands {
    fn pass_on(mut self) {
        while let Ok(command) = frame::read(&mut self.from) {
            let name = frame::name(&command);
            let fault = self.shared.plan.of(&name);
            let on_answer = match fault {
                None => None,
                Some(Fault::Refuse(error)) => {
                    self.transaction = self.transaction.map(|_| true);
                    let mut client = lock(&self.client);
                    client
                        .pending
                        .push_back(Pending::Own(format!("-{error}\r\n").into()));
                    client.answer_own();
                    continue;
                }
                Some(Fault::CutBefore) => break,
                Some(Fault::Delay(time)) => {
                    std::thread::sleep(time);
                    None
                }
                Some(Fault::Hold(gate)) => {
                    gate.pass();
                    None
                }
                Some(Fault::HoldAnswer(gate)) => Some(OnAnswer::Hold(gate)),
                Some(Fault::CutAfter) => Some(OnAnswer::Cut),
                Some(Fault::Swallow) => Some(OnAnswer::Swallow),
            };
            let (command, on_answer) = self.of_transaction(&name, command, on_answer);
            lock(&self.client).pending.push_back(Pending::Server {
                name,
                fault: on_answer,
            });
            if self.to.write_all(&command).is_err() {
                break;
            }
        }
        hang_up(&self.to, &self.client);
    }

    /// A transaction of which a command was refused is not carried out.
    fn of_transaction(
        &mut self,
        name: &str,
        command: Vec<u8>,
        on_answer: Option<OnAnswer>,
    ) -> (Vec<u8>, Option<OnAnswer>) {
        match name {
            "MULTI" => self.transaction = Some(false),
            "DISCARD" => self.transaction = None,
            "EXEC" => {
                let was_refused = self.transaction.take() == Some(true);
                if was_refused {
                    return (
                        DISCARD.to_vec(),
                        Some(OnAnswer::Replace(DISCARDED.to_vec())),
                    );
                }
            }
            _ => {}
        }
        (command, on_answer)
    }
}

fn pass_answers(from: TcpStream, client: &Mutex<Client>, shared: &Shared) {
    let Ok(server) = from.try_clone() else {
        return;
    };
    let mut from = BufReader::new(from);
    while let Ok(mut answer) = frame::read(&mut from) {
        // What a server sends unasked.
        if answer.starts_with(b">") {
            lock(client).write(&answer);
            continue;
        }
        let next = lock(client).pending.pop_front();
        let Some(Pending::Server { name, fault }) = next else {
            break;
        };
        shared.ports.redirect(&name, &mut answer);
        match fault {
            Some(OnAnswer::Cut) => break,
            Some(OnAnswer::Swallow) => lock(client).is_silent = true,
            Some(OnAnswer::Hold(gate)) => gate.pass(),
            Some(OnAnswer::Replace(other)) => answer = other,
            None => {}
        }
        let mut client = lock(client);
        client.write(&answer);
        client.answer_own();
    }
    hang_up(&server, client);
}

fn hang_up(server: &TcpStream, client: &Mutex<Client>) {
    let _ = server.shutdown(Shutdown::Both);
    let _ = lock(client).stream.shutdown(Shutdown::Both);
}
