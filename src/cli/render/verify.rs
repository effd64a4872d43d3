//! Whether two copies of the records are the same.

use super::Layout;
use super::table::table;
use crate::cli::comparison::{Comparison, Outcome};
use crate::ledger::verify::{ImageDigest, Reading};

/// Two copies, and what differs.
#[must_use]
pub fn comparison(comparison: &Comparison, layout: &Layout) -> String {
    let Comparison { names: [one, other], readings: [first, second], moving, count, listed } = comparison;
    let sides = format!("{}\n{}", side(one, first), side(other, second));
    match comparison.outcome() {
        Outcome::Equal => return format!("{sides}\nÉGAUX : mêmes enregistrements, mêmes versions, mêmes contenus."),
        Outcome::Undecided => {
            return format!(
                "{sides}\nNON DÉCIDÉ : {moving} enregistrement(s) changeaient à chaque lecture : recommencer à un moment plus \
                 calme."
            );
        }
        Outcome::Differ => {}
    }
    let mut table = table(layout.width, &["Enregistrement", "Premier", "Second"]);
    for difference in listed {
        table.add_row([difference.key.clone(), version(difference.first), version(difference.second)]);
    }
    let rest = match count - listed.len() {
        0 => String::new(),
        rest => format!("\net {rest} autres"),
    };
    format!("{sides}\nDIFFÉRENTS : {count} enregistrement(s)\n{table}{rest}")
}

fn side(name: &str, reading: &Reading) -> String {
    let Reading { from: _, to, records } = reading;
    format!("{name} : {} enregistrements, époque {}, position {}", records.len(), to.epoch, to.sequence)
}

/// A version with the beginning of its digest.
fn version(image: Option<ImageDigest>) -> String {
    let Some(ImageDigest { version, sha1 }) = image else { return "absent".to_owned() };
    let digest: String = sha1.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("version {version} ({digest})")
}
