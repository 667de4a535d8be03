use serde::{Deserialize, Serialize};

/// A language that there are texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Language {
    #[serde(rename = "en")]
    English,
    #[serde(rename = "pt-BR")]
    BrazilianPortuguese,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::BrazilianPortuguese];

    /// The tag of RFC 5646.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::BrazilianPortuguese => "pt-BR",
        }
    }

    /// The nearest one to a tag: any Portuguese is nearer to ours than English. None: it is neither.
    pub fn nearest(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        let is = |language: &Self| {
            language.tag().split('-').next().is_some_and(|ours| primary.eq_ignore_ascii_case(ours))
        };
        Self::ALL.into_iter().find(is)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_means_the_nearest_language() {
        for (tag, nearest) in [
            ("en", Some(Language::English)),
            ("en-GB", Some(Language::English)),
            ("pt-BR", Some(Language::BrazilianPortuguese)),
            ("pt_br", Some(Language::BrazilianPortuguese)),
            ("PT", Some(Language::BrazilianPortuguese)),
            ("pt-PT", Some(Language::BrazilianPortuguese)),
            ("ptx", None),
            ("de", None),
            ("", None),
        ] {
            assert_eq!(Language::nearest(tag), nearest, "{tag}");
        }
    }
}
