//! The types of a persistent reservation (SPC-4 6.15.3.4).

/// What a reservation forbids to the nexuses that it restricts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// They may not write.
    WriteExclusive,
    /// They may neither read nor write.
    ExclusiveAccess,
}

/// Which nexuses the reservation does not restrict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// Only the reservation holder.
    HolderOnly,
    /// All registered nexuses. One of them is the holder.
    RegistrantsOnly,
    /// All registered nexuses. All of them are holders.
    AllRegistrants,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReservationType {
    pub(crate) access: Access,
    pub(crate) sharing: Sharing,
}

impl ReservationType {
    const CODES: [(u8, Access, Sharing); 6] = [
        (0x1, Access::WriteExclusive, Sharing::HolderOnly),
        (0x3, Access::ExclusiveAccess, Sharing::HolderOnly),
        (0x5, Access::WriteExclusive, Sharing::RegistrantsOnly),
        (0x6, Access::ExclusiveAccess, Sharing::RegistrantsOnly),
        (0x7, Access::WriteExclusive, Sharing::AllRegistrants),
        (0x8, Access::ExclusiveAccess, Sharing::AllRegistrants),
    ];

    /// The type with this code; `None` if the code is obsolete or reserved.
    pub(crate) fn of(code: u8) -> Option<Self> {
        let (_, access, sharing) = *Self::CODES.iter().find(|(it, ..)| *it == code)?;
        Some(ReservationType { access, sharing })
    }

    pub(crate) fn code(self) -> u8 {
        let mine = |(_, access, sharing): &&(u8, Access, Sharing)| {
            (self.access, self.sharing) == (*access, *sharing)
        };
        Self::CODES.iter().find(mine).map_or(0, |(code, ..)| *code)
    }

    /// The type mask for REPORT CAPABILITIES (SPC-4 6.15.4). The first byte contains the bits of
    /// codes below 8; the second contains the others.
    pub(crate) fn mask() -> [u8; 2] {
        let bits = Self::CODES.iter().map(|(code, ..)| 1_u16 << code);
        bits.sum::<u16>().to_le_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_both_ways() {
        let known = (0..=0xff).filter_map(|code| Some((code, ReservationType::of(code)?)));
        let codes: Vec<_> = known.map(|(code, kind)| (code, kind.code())).collect();
        assert_eq!(codes, [1, 3, 5, 6, 7, 8].map(|code| (code, code)));
    }

    #[test]
    fn the_mask_is_as_spc_4_draws_it() {
        // WR_EX_AR, EX_AC_RO, WR_EX_RO, EX_AC and WR_EX; EX_AC_AR is in the second byte.
        assert_eq!(ReservationType::mask(), [0x80 | 0x40 | 0x20 | 0x08 | 0x02, 0x01]);
    }
}
