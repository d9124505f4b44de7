//! A child process that never outlives this one.

use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running child, the leader of a process group of its own.
///
/// Dropped, it kills the whole group. When this process ends first, in whatever way, a guard does the same: a
/// shell that waits for the end of its input, which only this process holds open. Destructors would not do:
/// they run neither for statics nor on Ctrl-C.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    guard: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Process {
        use std::os::unix::process::CommandExt;

        let program = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()));
        let guard = Command::new("sh")
            .args([
                "-c",
                r#"read -r _; kill -s KILL -- "-$0""#,
                &child.id().to_string(),
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start sh: {error}"));
        Process {
            child,
            guard,
            ended: None,
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Standard output and standard error of a process whose command piped both.
    pub(crate) fn take_output(&mut self) -> (ChildStdout, ChildStderr) {
        let output = self.child.stdout.take().zip(self.child.stderr.take());
        output.expect("the outputs are piped, and taken once")
    }

    /// How the process ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self
                .child
                .try_wait()
                .expect("a child of this process can be waited for");
        }
        self.ended
    }

    /// Sends a signal, such as `STOP`, to the process alone.
    pub(crate) fn signal(&self, name: &str) {
        assert!(self.ended.is_none(), "process {} has ended", self.id());
        let status = Command::new("sh")
            .args(["-c", r#"kill -s "$0" "$1""#, name, &self.id().to_string()])
            .status()
            .unwrap_or_else(|error| panic!("cannot start sh: {error}"));
        assert!(
            status.success(),
            "cannot send {name} to process {}: {status}",
            self.id()
        );
    }

    /// Asks the process to end (`SIGTERM`), kills its group when it has not within `limit`.
    pub(crate) fn terminate(&mut self, limit: Duration) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        self.signal("TERM");
        // A stopped process takes no signal but KILL until it is continued.
        self.signal("CONT");
        let start = Instant::now();
        while start.elapsed() < limit {
            if let Some(status) = self.ended() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        self.kill()
    }

    /// Kills the process and its group (`SIGKILL`).
    pub(crate) fn kill(&mut self) -> ExitStatus {
        if let Some(status) = self.ended() {
            return status;
        }
        // The process is not waited for before the guard has done its work: until then its id is its own.
        drop(self.guard.stdin.take());
        self.guard
            .wait()
            .expect("a child of this process can be waited for");
        let status = self
            .child
            .wait()
            .expect("a child of this process can be waited for");
        self.ended = Some(status);
        status
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        // Where the process had ended by itself, the guard still waits, and its number may be another's now.
        if self.guard.stdin.is_some() {
            let _ = self.guard.kill();
            let _ = self.guard.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{BufRead, BufReader, Read};
    use std::os::unix::process::ExitStatusExt;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn drop_kills_the_grandchildren_too() {
        let mut process = Process::spawn(
            shell("sleep 600 & echo started; wait")
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        );
        let mut output = BufReader::new(process.child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "started\n");

        drop(process);

        // The end of the output comes when the last process that holds it has ended.
        assert_eq!(output.read_to_string(&mut line).unwrap(), 0);
    }

    #[test]
    fn the_guard_kills_the_process_when_its_input_ends() {
        let mut process = Process::spawn(&mut shell("exec sleep 600"));
        // What the system does when this process ends.
        drop(process.guard.stdin.take());
        assert_eq!(process.child.wait().unwrap().signal(), Some(9));
    }

    #[test]
    fn terminate_ends_a_stopped_process() {
        let mut process = Process::spawn(&mut shell("exec sleep 600"));
        process.signal("STOP");
        assert_eq!(
            process.terminate(Duration::from_secs(60)).signal(),
            Some(15)
        );
    }

    #[test]
    fn terminate_kills_a_process_that_does_not_end() {
        let mut process = Process::spawn(
            shell("trap '' TERM; echo deaf; while :; do sleep 1; done").stdout(Stdio::piped()),
        );
        let mut line = String::new();
        BufReader::new(process.child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert_eq!(line, "deaf\n");
        assert_eq!(
            process.terminate(Duration::from_millis(50)).signal(),
            Some(9)
        );
    }

    #[test]
    fn a_process_that_ended_by_itself_keeps_its_status() {
        let mut process = Process::spawn(&mut shell("exit 3"));
        while process.ended().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(process.terminate(Duration::ZERO).code(), Some(3));
        assert_eq!(process.kill().code(), Some(3));
    }
}
