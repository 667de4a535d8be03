//! Deliberate bugs: what the simulation has to catch, or it would catch nothing. Without the feature `deliberate-bugs`, which
//! nothing that is deployed has, there are none of them, and the compiler knows it.

/// Each breaks one thing that something else relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Bug {
    SettleWithoutVersion = 1,
    FreshKeyOnRetry,
    FailoverAfterUnknown,
    AnswerAfterEffect,
    RefundBoundOnlyRead,
    RefundUnderFreshKey,
    LeaseIgnored,
    WebhookTrusted,
    MessageDeletedBeforeSettle,
    AppendWithoutGuard,
    RoundedBySum,
    TornSettlement,
    WalletUnbounded,
    OrderWithoutVersion,
    EarlierPaymentKept,
    AllotmentRoundedDown,
    WalletMovedApart,
    HeldIsSent,
    VelocityOverwritten,
    ToldIsCounted,
    TalliedApart,
    ConvertedByPart,
    SentUnclaimed,
    RefusedIsTold,
    OrphanKept,
    KeyForgotten,
    CaseUnseen,
}

impl Bug {
    pub const ALL: [Self; 27] = [
        Self::SettleWithoutVersion,
        Self::FreshKeyOnRetry,
        Self::FailoverAfterUnknown,
        Self::AnswerAfterEffect,
        Self::RefundBoundOnlyRead,
        Self::RefundUnderFreshKey,
        Self::LeaseIgnored,
        Self::WebhookTrusted,
        Self::MessageDeletedBeforeSettle,
        Self::AppendWithoutGuard,
        Self::RoundedBySum,
        Self::TornSettlement,
        Self::WalletUnbounded,
        Self::OrderWithoutVersion,
        Self::EarlierPaymentKept,
        Self::AllotmentRoundedDown,
        Self::WalletMovedApart,
        Self::HeldIsSent,
        Self::VelocityOverwritten,
        Self::ToldIsCounted,
        Self::TalliedApart,
        Self::ConvertedByPart,
        Self::SentUnclaimed,
        Self::RefusedIsTold,
        Self::OrphanKept,
        Self::KeyForgotten,
        Self::CaseUnseen,
    ];

    #[cfg(not(feature = "deliberate-bugs"))]
    pub const fn is_planted(self) -> bool {
        false
    }

    #[cfg(feature = "deliberate-bugs")]
    pub fn is_planted(self) -> bool {
        PLANTED.load(std::sync::atomic::Ordering::Relaxed) == self as u8
    }

    /// The only one from now on. None: none.
    #[cfg(feature = "deliberate-bugs")]
    pub fn plant(bug: Option<Self>) {
        PLANTED.store(bug.map_or(0, |bug| bug as u8), std::sync::atomic::Ordering::Relaxed);
    }
}

#[cfg(feature = "deliberate-bugs")]
static PLANTED: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(0);
