//! Personal data is exposed to whoever holds the decision that opened it.
use bartizan_core::Pii;

fn main() {
    let name: Pii<String> = Pii::new("Ada".to_owned());
    let _: &String = name.expose();
    let _: &String = &name.value;
    let _: &str = &*name;
}
