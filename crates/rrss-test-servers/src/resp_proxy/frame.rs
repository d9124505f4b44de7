//! One message of the protocol, as its bytes.
//!
//! See the [protocol specification](https://redis.io/docs/latest/develop/reference/protocol-spec/), RESP2 and RESP3.

use std::io::{self, BufRead, Read};

/// Reads one message whole, without understanding what is in it.
pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    append(stream, &mut bytes)?;
    Ok(bytes)
}

fn append(stream: &mut impl BufRead, bytes: &mut Vec<u8>) -> io::Result<()> {
    let begin = bytes.len();
    stream.read_until(b'\n', bytes)?;
    let line = bytes[begin..]
        .strip_suffix(b"\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_first().ok_or(io::ErrorKind::InvalidData)?;
    let kind = *kind;
    // A negative length is how RESP2 says nil.
    let length = || -> io::Result<usize> {
        let text = std::str::from_utf8(rest).map_err(|_| io::ErrorKind::InvalidData)?;
        let length: i64 = text.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        Ok(usize::try_from(length).unwrap_or_default())
    };
    match kind {
        b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => {}
        b'$' | b'!' | b'=' if rest.starts_with(b"-") => {}
        b'$' | b'!' | b'=' => {
            let length = length()? as u64 + 2;
            if stream.by_ref().take(length).read_to_end(bytes)? as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        b'*' | b'~' | b'>' => {
            for _ in 0..length()? {
                append(stream, bytes)?;
            }
        }
        b'%' => {
            for _ in 0..2 * length()? {
                append(stream, bytes)?;
            }
        }
        // Attributes precede the message that they are of.
        b'|' => {
            for _ in 0..2 * length()? + 1 {
                append(stream, bytes)?;
            }
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    }
    Ok(())
}

/// The name of a command, in upper case: the first string of an array of strings.
pub(super) fn name(command: &[u8]) -> String {
    let mut lines = command.split(|byte| *byte == b'\n');
    let name = match command.first() {
        Some(b'*') => lines.nth(2),
        _ => lines.next(),
    };
    let name = String::from_utf8_lossy(name.unwrap_or_default());
    // A command that is written as a plain line has its words behind it.
    let name = name.trim_end().split(' ').next().unwrap_or_default();
    name.to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_whole_and_no_further() {
        for message in [
            "+OK\r\n",
            "-ERR no\r\n",
            "$5\r\na\r\nbc\r\n",
            "$-1\r\n",
            "*-1\r\n",
            "*2\r\n:1\r\n*1\r\n$1\r\nx\r\n",
            "%1\r\n+key\r\n,1.5\r\n",
            ">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n",
            "|1\r\n+a\r\n#t\r\n:3\r\n",
            "_\r\n",
        ] {
            let stream = format!("{message}+next\r\n");
            let mut stream = stream.as_bytes();
            assert_eq!(read(&mut stream).unwrap(), message.as_bytes());
            assert_eq!(stream, b"+next\r\n");
        }
    }

    #[test]
    fn a_message_that_is_cut_short_is_an_error() {
        for message in ["", "+OK", "$5\r\nab", "*2\r\n:1\r\n", "?\r\n"] {
            assert!(read(&mut message.as_bytes()).is_err(), "{message:?}");
        }
    }

    #[test]
    fn commands_have_their_names_in_upper_case() {
        assert_eq!(name(b"*2\r\n$3\r\nget\r\n$1\r\nk\r\n"), "GET");
        assert_eq!(name(b"ping\r\n"), "PING");
    }
}
