//! A permission is checked when the program is compiled.
use bartizan_core::Permission;

const READ: Permission = Permission::literal("Patient.read");

fn main() {
    let _ = READ;
}
