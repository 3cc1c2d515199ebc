//! Signatures whose verdict is known, to try a host with before it is trusted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Hash, Question, Scheme};

/// A good signature of one scheme, and what has to be refused beside it.
#[derive(Debug)]
pub struct Probe {
    scheme: Scheme,
    key: Vec<u8>,
    signature: Vec<u8>,
}

impl Probe {
    /// One for each scheme.
    pub fn all() -> impl Iterator<Item = Self> {
        PROBES.into_iter().map(|(scheme, key, signature)| {
            let [key, signature] = [key, signature].map(|text| URL_SAFE_NO_PAD.decode(text));
            // What cannot be read is no good signature, and then the host is not used.
            Self { scheme, key: key.unwrap_or_default(), signature: signature.unwrap_or_default() }
        })
    }

    /// The scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The good signature.
    pub fn good(&self) -> Question<'_> {
        self.over(b"jwt-gate")
    }

    /// The same over another message: bad.
    pub fn bad(&self) -> Question<'_> {
        self.over(b"jwt-gatf")
    }

    /// The good signature under a key that is cut off: no question of good or bad.
    pub fn unreadable(&self) -> Question<'_> {
        let cut = self.key.split_last().map(|(_, key)| key).unwrap_or_default();
        Question { key: cut, ..self.good() }
    }

    fn over<'a>(&'a self, message: &'a [u8]) -> Question<'a> {
        Question { scheme: self.scheme, key: &self.key, message, signature: &self.signature }
    }
}

/// Schemes, keys and signatures; made for this purpose, the private keys are gone.
const PROBES: [(Scheme, &str, &str); 6] = [
    (
        Scheme::RsaPkcs1(Hash::Sha256),
        RSA_KEY,
        "2CrYRa_I0GLfTsSipC-AcIa2fieOBicR_a-4o_WdErV_IB6J9HpANkK4k1ZVeykXaGr3vZPFeIeidqnczjcG_ZdY_a2PZD1yycX9IcU7qmUH6c7e27MQ6f7sL03MPKcRkF8Xs2tO8j-VdTyKh0kIDA556hqUz9-2ZEcjcG2NPbabVcxsXI1Fhu8Lpqo5zbSYcj4FruPC1zU6OU4EK7xfBo0RvfWtF-YPgPyGripECUFGvQMtDwwd_nf2YbmfJgqK1-wfojk1npnHyGLS_OsMuLLh7y-9VaN_gm71Hl3E__znVLtXLYDF_8vpnScqvKsKiXM8ZDnWmaW00szPpt689Q",
    ),
    (
        Scheme::RsaPkcs1(Hash::Sha384),
        RSA_KEY,
        "QYXrE0t-5Zbyem2ter0DGW1M-sNXJCYWo-l4RF1VYMjn0kMIJ_RLlN-ghVLphscXJRzZ6bUEC0T9HZerZj4WH2LWkYKkEwHCi3ye_EQ8LdygV0ZxnjLgKS5bbMhs_MY0ZqC51jYtK1qOLln-9T4MN5Ze3YZdWRDFvHroGDWYQrcUWbGiHk2XgbyxYjGqlpcFXZSNXyMGlAbwNvJdjLPzhwM2hAnNpx1_cdixgppq6-9NhL7SHFCDFWGZ-HTyhkyk-TBzstDVN5IIMwfhPhYZN-d8HYTViUsqqYkg7tqRmP0UCMTWnTcIiEt4VINoNm0oAL6f0c60nrbZhANSSXQnrg",
    ),
    (
        Scheme::RsaPkcs1(Hash::Sha512),
        RSA_KEY,
        "e3rGdzhnVsrEPmMM-WQlR-FPDx_ymtANwdbqLKev-yjc5kBtaYwN8w-rdlxcozRZYUJZ_KDgdQ0YagAZE4bF90QgJ723mA_s9UPeyTBNouiEUuETRk59jbLBxbTieiEc1vX_IS_LZSPrGKiNyg_DFH9R9DpCqXFeKkCwYmqkDERd6as2XVDeXmuHiWmVbjtqABVs0V11qCPpwEfAZwNktHJt3FHsaeiG4E5fs4HszQhK8qAOeO3NjSYHr-mXZM10H6w9ftCYsIvn-7u80np_6EylldwHbvO0XCuJLp6cc54ktSAgDgv42k10kTpss0YPGtbKguvQLwRbLnT0jRNiTA",
    ),
    (
        Scheme::Ecdsa(Hash::Sha256),
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEfSPdDBL9hFciz16MGC2czZfXHsEmnfUr4Kh0hAMf3LQRU26vw38QfEUt-S-FctJ-67LDvtDhOcagIit2IfeTuQ",
        "nEvHLNz5ecTZjhBxMwCdPP7rorMRhW6Cb2wrKLkNqoDMk2NW-UexPxSdNC1VdXm_qmLnJtSeAEjW56Z0__z2wg",
    ),
    (
        Scheme::Ecdsa(Hash::Sha384),
        "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEN05soWeW68ukeP3mhFniHd619SVqLgfiRd_jK7OmCuHBoL5GF3v0OsVaWann2G7G7SnwgX7Q99VVCsIZDUQzjwwA8pXDOz2kBfwzZIuDbEqIuhR-_rBmZJfir_U6BOmM",
        "xkzLqAxba4J7LB64rzI08NVuFQJgHurMiZPMu0pUx7JesWb_pYWeq2XiJtyFn8C1YzOFi8WNmydFyJtvCe5GZs626ROcKHfH3M-U_zl5RhDafFh_vjzhrGO51Ad_pXgt",
    ),
    (
        Scheme::Ecdsa(Hash::Sha512),
        "MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBQiX6NSfZKL2upL_xrXIpD5s2mPQzw48T3c5m7VsEEkcqNpRQJAg4I_JvKEGHvXdndzUuEiLmmvHTPQkzAs5Kw1EAZ1Yt2OEYGoZ9eCxdaBw0P-nCNafeIts8RS1hB5-UJt3y4b0UZf5eO5eZbEBMzXhOFEne2nxlZ31f3oDX7JMDYR0",
        "AchdJW-vhq90AIDDNTgTicGmGqqe73tJZVLFhIWFTkisVr__qerytiDuhELVN99NHRBt3FQtUjPs8TE57Kkric20ACGOYZ-JBxDFvxUn85Bn2s-jYAK_iam2y2oaifZsmEG8pG5v4Mv005M9cpPzB7FY3pheJQ69QJGEvo7L11GhhYrl",
    ),
];

const RSA_KEY: &str = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4e9da47bKUbwzhNbXHMoNrf_eUG9DXmWipVgZtWXD_fWt8nYiLQFc35E49Kib3dPRPvtcGnsxRLFX4kOUhFCETu6t0pd-PNX7dynGFVOlKj74QaKcI8qNdtnxZzsib3JkVl4mbK1TqF1VxWM9mGbHQLTddTMZwKZbXPmVuk9cxV7MMEkvGsMm95IjcQIdP_ZrODIQYH2sGq7XlHEbMIzZUJWN6CqJ4_rhL4AcrZcPKT5gw4rck8Hwc4AooGckJWDERUI-4rgfVw2dVZ4DHh22Ss6bPl-r9LXTPFOQcVKNmpYwu2cy8xUcCs6NfDq4u-1iY-0IoVQFTr-wC_cb1cEzQIDAQAB";
