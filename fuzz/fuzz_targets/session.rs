//! The target `session`; see [`rrss_fuzz`].

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| (rrss_fuzz::SESSION.run)(input));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    rrss_fuzz::without_coverage(&rrss_fuzz::SESSION)
}
