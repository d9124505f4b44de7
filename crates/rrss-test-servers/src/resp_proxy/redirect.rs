//! What servers answer of each other's addresses leads to the proxy.

/// Which port of a server is which of the proxy.
#[derive(Debug, Default)]
pub(super) struct Ports(Vec<([u8; 5], [u8; 5])>);

impl Ports {
    /// All ports that tests use have five digits, so an answer keeps its length when one takes the place of another.
    pub(super) fn new(ports: &[(u16, u16)]) -> Ports {
        let digits = |port: u16| -> [u8; 5] {
            let text = port.to_string().into_bytes();
            text.try_into().expect("ports of tests have five digits")
        };
        let pairs = ports.iter();
        Ports(
            pairs
                .map(|(server, own)| (digits(*server), digits(*own)))
                .collect(),
        )
    }

    /// The answer to a command called `name`, with the ports of the proxy in place of those of servers.
    pub(super) fn redirect(&self, name: &str, answer: &mut [u8]) {
        let names_servers = ["CLUSTER", "SENTINEL"].contains(&name);
        if names_servers || answer.starts_with(b"-MOVED") || answer.starts_with(b"-ASK") {
            self.replace(answer);
        }
    }

    fn replace(&self, answer: &mut [u8]) {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let mut at = 0;
        while at + 5 <= answer.len() {
            let is_whole = !is_digit(at.checked_sub(1).and_then(|before| answer.get(before)))
                && !is_digit(answer.get(at + 5));
            let found = self
                .0
                .iter()
                .find(|(server, _)| is_whole && answer[at..at + 5] == *server);
            match found {
                Some((_, own)) => {
                    answer[at..at + 5].copy_from_slice(own);
                    at += 5;
                }
                None => at += 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_replaced_where_servers_are_named() {
        let ports = Ports::new(&[(17000, 20000), (18000, 21000)]);
        let redirected = |name, answer: &str| {
            let mut answer = answer.as_bytes().to_vec();
            ports.redirect(name, &mut answer);
            String::from_utf8(answer).unwrap()
        };
        assert_eq!(
            redirected("GET", "-MOVED 1 127.0.0.1:17000\r\n"),
            "-MOVED 1 127.0.0.1:20000\r\n"
        );
        let slots = ":18000\r\n:118000\r\n:180000\r\n";
        assert_eq!(
            redirected("CLUSTER", slots),
            ":21000\r\n:118000\r\n:180000\r\n"
        );
        assert_eq!(redirected("GET", slots), slots);
    }
}
