//! What the page of operations shows beside the service's own data: from where a map's tiles are had, if at all.

use super::reader::Reader;

/// What to give for the address of tiles.
const EXPECTED: &str = "give an address that opens with http:// or https:// and holds {z}, {x} and {y}, for instance \
                        https://tiles.example/{z}/{x}/{y}.png";

/// What the page of operations shows beside the service's own data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsoleConfig {
    /// Where tiles of its map are had; `None` for a map without, that asks nobody.
    pub tiles: Option<TilesConfig>,
}

/// Where tiles of a map are had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TilesConfig {
    /// Address with `{z}`, `{x}` and `{y}`.
    pub url: String,
    /// Scheme, host and port, from which alone a browser may load pictures.
    pub origin: String,
}

impl ConsoleConfig {
    pub(super) fn read(reader: &mut Reader) -> Self {
        const TILE_URL: (&str, &str) = (
            "console.tile_url",
            "Address of the tiles under the map of the operations page, with {z}, {x} and {y}; browsers ask it directly. None: a \
             plain map that asks nobody.",
        );
        let tiles = reader
            .optional_text(TILE_URL.0, TILE_URL.1, |text| TilesConfig::parse(text).ok_or_else(|| EXPECTED.to_owned()));
        reader.unset(TILE_URL.0, TILE_URL.1);
        Self { tiles }
    }
}

impl TilesConfig {
    fn parse(text: &str) -> Option<Self> {
        let url = text.trim();
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        let host = rest.split('/').next().unwrap_or_default();
        let is_host = |one: char| one.is_ascii_alphanumeric() || ".-:[]".contains(one);
        let has_all = ["{z}", "{x}", "{y}"].iter().all(|part| rest.contains(part));
        let is_printable = url.chars().all(|one| one.is_ascii_graphic());
        if host.is_empty() || !host.chars().all(is_host) || !has_all || !is_printable {
            return None;
        }
        let scheme = url.get(..url.len() - rest.len()).unwrap_or_default();
        Some(Self { url: url.to_owned(), origin: format!("{scheme}{host}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_had_from_one_origin() {
        let tiles = TilesConfig::parse("https://tiles.example:8443/{z}/{x}/{y}.png").unwrap();
        assert_eq!(tiles.origin, "https://tiles.example:8443");
        for wrong in [
            "",
            "tiles.example/{z}/{x}/{y}",
            "https:///{z}/{x}/{y}",
            "https://a b/{z}/{x}/{y}",
            "https://a;b/{z}/{x}/{y}",
            "https://a/{z}/{x}",
            "ftp://a/{z}/{x}/{y}",
        ] {
            assert_eq!(TilesConfig::parse(wrong), None, "{wrong}");
        }
    }
}
