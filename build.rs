//! Rebuilds when a file is added to the folders that are built into the binary.

fn main() {
    for folder in ["collectors", "registry", "criteria", "migrations"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
