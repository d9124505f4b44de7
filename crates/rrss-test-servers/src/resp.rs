//! As much of the Redis protocol as tests need: one command, one reply.
//!
//! See the [protocol specification](https://redis.io/docs/latest/develop/reference/protocol-spec/), RESP2.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A server that has not answered by then does not answer.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    Text(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Array(Vec<Reply>),
    Nil,
}

pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    pub(crate) fn open(port: u16, password: Option<&str>) -> io::Result<Connection> {
        let stream =
            TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.set_write_timeout(Some(LIMIT))?;
        let mut connection = Connection {
            stream: BufReader::new(stream),
        };
        if let Some(password) = password
            && let Reply::Error(error) = connection.send(&["AUTH", password])?
        {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, error));
        }
        Ok(connection)
    }

    pub(crate) fn send<A: AsRef<[u8]>>(&mut self, command: &[A]) -> io::Result<Reply> {
        let mut request = format!("*{}\r\n", command.len()).into_bytes();
        for word in command.iter().map(AsRef::as_ref) {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.stream.get_mut().write_all(&request)?;
        read_reply(&mut self.stream)
    }
}

/// Waits until the server has closed its end too, lest it count this connection among those of clients later.
impl Drop for Connection {
    fn drop(&mut self) {
        let stream = self.stream.get_mut();
        // A server that was killed or paused meanwhile needs no farewell.
        let _ = stream
            .shutdown(Shutdown::Write)
            .and_then(|()| stream.set_read_timeout(Some(Duration::from_secs(10))))
            .and_then(|()| stream.read(&mut [0]));
    }
}

fn read_reply(stream: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let line = line
        .strip_suffix("\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::InvalidData)?;
    let number = || {
        rest.parse::<i64>()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    };
    // A negative length is how RESP2 says nil.
    let length = || number().map(|length| usize::try_from(length).ok());
    Ok(match kind {
        "+" => Reply::Text(rest.to_owned()),
        "-" => Reply::Error(rest.to_owned()),
        ":" => Reply::Integer(number()?),
        "$" => match length()? {
            Some(length) => {
                let mut bytes = vec![0; length + 2];
                stream.read_exact(&mut bytes)?;
                bytes.truncate(length);
                Reply::Bulk(bytes)
            }
            None => Reply::Nil,
        },
        "*" => match length()? {
            Some(length) => Reply::Array(
                (0..length)
                    .map(|_| read_reply(stream))
                    .collect::<io::Result<_>>()?,
            ),
            None => Reply::Nil,
        },
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("reply of type {kind:?}"),
            ));
        }
    })
}

/// As redis-cli prints into a file, but that nil is `(nil)`: an empty value must not look like none.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Text(text) | Reply::Error(text) => f.write_str(text),
            Reply::Integer(number) => number.fmt(f),
            Reply::Bulk(bytes) => f.write_str(&String::from_utf8_lossy(bytes)),
            Reply::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    if index > 0 {
                        f.write_str("\n")?;
                    }
                    element.fmt(f)?;
                }
                Ok(())
            }
            Reply::Nil => f.write_str("(nil)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_print_as_text() {
        for (bytes, text) in [
            ("+OK\r\n", "OK"),
            ("-ERR no\r\n", "ERR no"),
            (":-2\r\n", "-2"),
            ("$7\r\na\r\nb\r\nc\r\n", "a\r\nb\r\nc"),
            ("$0\r\n\r\n", ""),
            ("$-1\r\n", "(nil)"),
            ("*-1\r\n", "(nil)"),
            ("*0\r\n", ""),
            (
                "*3\r\n$1\r\n0\r\n*2\r\n+a\r\n:1\r\n$-1\r\n",
                "0\na\n1\n(nil)",
            ),
        ] {
            let reply = read_reply(&mut bytes.as_bytes()).unwrap();
            assert_eq!(reply.to_string(), text, "{bytes:?}");
        }
    }

    #[test]
    fn a_reply_that_is_cut_short_is_an_error() {
        for bytes in [
            "",
            "+OK",
            "$5\r\nab",
            "*2\r\n:1\r\n",
            "\r\n",
            "$x\r\n",
            "!1\r\n",
        ] {
            assert!(read_reply(&mut bytes.as_bytes()).is_err(), "{bytes:?}");
        }
    }
}
