//! What the README shows is what the program prints.

#[test]
fn the_readme_shows_what_the_program_prints() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_compose"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed, "user = \"ann\"\ngreeting = \"Hello, ann\"\n");
    assert!(include_str!("../README.md").contains(&printed));
}
