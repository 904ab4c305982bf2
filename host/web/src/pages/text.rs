//! The words of the user's face and of what every face has around it, each in
//! both languages side by side. The staff's faces speak English, in their
//! templates and views.

use super::view::Locale;

macro_rules! words {
    ($($key:ident: $en:literal, $zh:literal;)*) => {
        /// Every sentence that a person reads; `{}` stands for a value.
        #[derive(Debug)]
        pub(crate) struct Text {
            $(pub(crate) $key: &'static str,)*
        }

        impl Text {
            const EN: Self = Self { $($key: $en,)* };
            const ZH_CN: Self = Self { $($key: $zh,)* };
        }

        #[cfg(test)]
        const KEYS: &[(&str, &str, &str)] = &[$((stringify!($key), $en, $zh),)*];
    };
}

impl Text {
    /// The words of a language.
    pub(crate) const fn of(locale: Locale) -> &'static Self {
        match locale {
            Locale::En => &Self::EN,
            Locale::ZhCn => &Self::ZH_CN,
        }
    }
}

/// The sentence with its `{}` filled in, from left to right.
pub(crate) fn fill(sentence: &str, values: &[&dyn std::fmt::Display]) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut parts = sentence.split("{}");
    text.push_str(parts.next().unwrap_or_default());
    for (part, value) in parts.zip(values) {
        text.push_str(&value.to_string());
        text.push_str(part);
    }
    text
}

words! {
    // Around every page.
    skip_to_content: "Skip to content", "跳到正文";
    main_navigation: "Main", "主导航";
    my_account: "My account", "我的账户";
    language: "Language", "语言";
    footer: "Qiao is a channel, not a custodian: your money stays at custody banks, and the books always show whose it is.", "桥只是通道，不托管资金：您的钱始终存放在托管银行，账本随时写明归属。";
    home: "Home", "首页";
    orders: "Orders", "订单";
    holdings: "Holdings", "持有";
    wallet: "Wallet", "钱包";
    console: "Console", "机构后台";
    operator: "Operator", "平台运营";
    cancel: "Cancel", "取消";
    optional: "optional", "选填";
    newest: "Newest", "最新";
    older: "Older", "更早";

    // Sign up, log in, log out.
    sign_up: "Sign up", "注册";
    log_in: "Log in", "登录";
    log_out: "Log out", "退出登录";
    create_account: "Create an account", "创建账户";
    sign_up_title: "Create your account", "创建您的账户";
    sign_up_text: "One account for every institution on Qiao.", "一个账户，通达桥上的每一家机构。";
    log_in_text: "Institution staff and operators log in here too.", "机构员工和平台运营也在这里登录。";
    have_account: "You have an account already?", "已有账户？";
    no_account: "No account yet?", "还没有账户？";
    name: "Name", "姓名";
    name_hint: "What we call you. Institutions see it only with your consent.", "我们如何称呼您。机构只有经您同意才能看到。";
    login: "Login", "登录名";
    login_hint: "A word you remember, or your e-mail address.", "一个您记得住的词，或电子邮箱。";
    login_rule: "A log-in name is 3 to 64 characters of a-z 0-9 . _ - @ +", "登录名为 3 至 64 个字符，可用 a-z 0-9 . _ - @ +";
    name_rule: "A name is 1 to 64 characters.", "姓名为 1 至 64 个字符。";
    password_rule: "A password is {} to {} characters, not all the same and not the log-in name.", "密码为 {} 至 {} 个字符，不能是同一个字符，也不能与登录名相同。";
    password: "Password", "密码";
    password_hint: "At least {} characters. A long sentence is better than odd signs.", "至少 {} 个字符。一句长话胜过奇怪的符号。";
    wrong_login: "Login and password do not match.", "登录名与密码不匹配。";
    too_many_log_ins: "Too many tries. Log in again after {}.", "尝试次数过多。请在 {} 之后再登录。";
    login_taken: "This login is taken. Choose another.", "该登录名已被使用，请换一个。";
    form_expired: "This form was open for too long, or your browser did not send its cookie. Nothing happened; please send it again.", "表单打开太久，或浏览器没有发送 Cookie。什么都没有发生，请再次提交。";
    log_in_first: "Log in to go on.", "请先登录。";
    log_in_again: "Your session ended before that was sent: nothing was paid or changed. Log in and send it again.", "登录已过期，刚才的操作没有提交：没有付款，也没有任何改动。请登录后重新提交。";
    welcome: "Welcome to Qiao. Set a payment PIN next; you need it to confirm orders.", "欢迎来到桥。接下来请设置支付密码，确认订单时需要它。";
    logged_out: "You are logged out.", "您已退出登录。";

    // Home.
    hello: "Hello, {}", "您好，{}";
    hero_title: "One bridge to every institution you trust.", "一座桥，通向您信任的每一家机构。";
    hero_text: "Buy a fund, pay a fine, insure a trip: each institution serves you in its own public account, and you pay on one safe checkout.", "买基金、缴罚款、投保出行：每家机构都在自己的公众号为您服务，而您始终在同一个安全收银台付款。";
    promise_checkout: "You confirm on Qiao's own checkout, with your PIN.", "付款只在桥自己的收银台，用您的支付密码确认。";
    promise_channel: "A channel, not a custodian: the money stays at custody banks.", "只是通道，不碰资金：钱始终在托管银行。";
    promise_fees: "Every fee is shown, to the fen, before you confirm.", "确认之前，每一笔费用都列示到分。";
    followed_accounts: "You follow", "您的关注";
    discover: "Discover", "发现";
    nothing_followed: "You follow no account yet", "您还没有关注公众号";
    nothing_followed_text: "Follow an account to find it here and get its messages.", "关注之后，它会出现在这里，并能给您发消息。";
    nothing_to_discover: "Nothing more to discover", "没有更多公众号";
    nothing_to_discover_text: "New institutions appear here once an operator has approved them.", "新机构经平台审核后会出现在这里。";
    set_pin_title: "Set your payment PIN", "设置支付密码";
    set_pin_advice: "You confirm every order with six digits that only you know.", "每笔订单都用只有您知道的六位数字确认。";
    set_pin: "Set the PIN", "去设置";

    // PIN.
    payment_pin: "Payment PIN", "支付密码";
    pin_text: "Six digits. You type them on Qiao's own pages only; no institution ever sees them.", "六位数字。只在桥自己的页面输入，任何机构都看不到。";
    change_pin: "Change your payment PIN", "修改支付密码";
    current_pin: "Current PIN", "当前支付密码";
    new_pin: "New PIN", "新支付密码";
    repeat_pin: "Repeat the PIN", "再次输入";
    pin_saved: "Your payment PIN is set.", "支付密码已设置。";
    pin_rule: "Choose six digits that are not all the same and not in sequence.", "请设置六位数字，不能全部相同，也不能是连续数字。";
    pin_differs: "The two PINs differ.", "两次输入不一致。";
    wrong_pin: "Wrong PIN. Tries left: {}.", "支付密码错误，还可尝试 {} 次。";
    pin_locked: "The PIN is locked until {} after too many wrong tries.", "错误次数过多，支付密码锁定至 {}。";
    pin_is_set: "Set", "已设置";
    pin_is_missing: "Not set", "未设置";

    // Mandates.
    mandates: "Mandates", "免密授权";
    mandates_proposed: "Proposed to you", "待您确认";
    mandates_given: "Given", "已授权";
    no_mandates: "You have given no mandate", "您还没有授权";
    no_mandates_text: "A mandate lets an institution charge you within limits, without asking each time. You can revoke it at any time.", "授权后，机构可在限额内自动扣款，无需每次确认。您可以随时撤销。";
    mandate_active: "Active", "生效中";
    mandate_revoked: "Revoked", "已撤销";
    mandate_expired: "Expired", "已到期";
    mandate_used_up: "Used up", "次数用尽";
    consent: "Consent", "授权确认";
    consent_text: "Charges come from your balance.", "扣款来自您的余额。";
    consent_allow: "Allow", "同意授权";
    consent_revocable: "You can revoke it at any time under My account, Mandates: from then on nothing is charged. Only Qiao's own pages ask for your PIN.", "您可随时在“我的账户 · 免密授权”中撤销，撤销后不再扣款。只有桥自己的页面会询问您的支付密码。";
    at_most: "at most {}", "最多 {}";
    mandate_per_payment: "One charge", "单笔";
    mandate_per_day: "Per day", "每日";
    mandate_per_month: "Per month", "每月";
    mandate_count: "How often", "次数";
    mandate_times: "at most {} times in all", "总共最多 {} 次";
    mandate_until: "Until", "有效期至";
    mandate_given_on: "Given", "授权时间";
    mandate_used: "What was charged", "扣款情况";
    mandate_used_count: "Charges", "扣款次数";
    mandate_used_today: "Today", "今日";
    mandate_used_month: "This month", "本月";
    mandate_used_total: "In all", "累计";
    nothing_charged: "Nothing has been charged", "还没有扣款";
    nothing_charged_text: "Each charge appears here and in your wallet.", "每笔扣款都会出现在这里和您的钱包中。";
    paid_from_account: "Paid from", "付款账户";
    charged_by: "Charged by", "扣款方式";
    your_mandate: "your mandate", "免密授权";
    revoke: "Revoke", "撤销授权";
    revoke_title: "Revoke {}?", "撤销“{}”？";
    revoke_text: "From now on nothing can be charged by it. Orders that were placed go on. It cannot be undone; you can give a new one.", "撤销后不能再凭此扣款，已下的订单继续处理。撤销不可恢复，您可以重新授权。";
    mandate_given: "The mandate is given.", "授权成功。";
    mandate_was_revoked: "The mandate is revoked.", "授权已撤销。";

    // Wallet and holdings.
    available_balance: "Available balance", "可用余额";
    available: "Available", "可用";
    balance: "Balance", "余额";
    held_by_orders: "Held by what is not finished", "未完成交易冻结";
    top_up: "Top up", "充值";
    sandbox: "Sandbox.", "沙盒。";
    top_up_text: "This money is play money of the sandbox. On a host with banks, a link to your own account stands here.", "这是沙盒里的虚拟资金。接入银行的主机会在此处提供银行账户充值。";
    amount: "Amount", "金额";
    top_up_limit: "At most {} at a time.", "每次最多 {}。";
    topped_up: "The sandbox credited your wallet.", "沙盒已为您的钱包入账。";
    not_an_amount: "Write an amount such as 1000.00.", "请输入金额，例如 1000.00。";
    amount_above_limit: "This is more than the sandbox gives at a time.", "超过沙盒单次上限。";
    sandbox_top_up: "Sandbox top-up", "沙盒充值";
    movements: "Movements", "收支明细";
    nothing_moved: "Nothing has moved yet", "还没有收支";
    nothing_moved_text: "Top-ups, payments and refunds appear here.", "充值、付款和退款会显示在这里。";
    worth_together: "Worth together", "总市值";
    no_holdings: "You hold nothing yet", "您还没有持有产品";
    no_holdings_text: "Units that you buy appear here with their value and income.", "您买入的份额会连同市值与收益显示在这里。";
    units_held: "Units", "份额";
    units: "units", "份";
    income_so_far: "Income so far", "累计收益";
    newest_price: "Newest price", "最新净值";
    no_price_yet: "No price yet", "暂无净值";
    find_account: "Find an account", "去发现";

    // Banks.
    banks: "Bank accounts", "银行账户";
    banks_text: "Money stays at custody banks. Link your own account to top up, to pay straight from the bank, and to withdraw.", "资金始终在托管银行。绑定您自己的账户后，可以充值、直接付款和提现。";
    link_bank: "Link an account", "绑定账户";
    linked_accounts: "Linked accounts", "已绑定账户";
    link_at: "Link at {}", "在{}绑定";
    no_links: "No account is linked", "尚未绑定账户";
    no_links_text: "You log in at your bank and choose the account; Qiao never sees your bank password.", "您在银行页面登录并选择账户，桥看不到您的银行密码。";
    bank_linked: "The account is linked.", "账户已绑定。";
    bank_unlinked: "The account is unlinked, and the bank was told.", "账户已解绑，并已通知银行。";
    unlink: "Unlink", "解绑";
    unlink_title: "Unlink this account?", "解绑该账户？";
    unlink_text: "Qiao gives its access to the account back. What is under way at the bank is still brought to its end.", "桥将归还对该账户的访问权限。银行正在处理的转账仍会完成。";
    link_expired: "Expired: link it again", "已失效，请重新绑定";
    bank_paused: "Not available now", "暂不可用";
    bank_free: "No fee", "免费";
    bank_fee: "Fee {} and {} of the amount", "手续费 {} 加金额的 {}";
    bank_account: "Bank account", "银行账户";
    any_account: "The cheapest that works", "自动选择费用最低的";
    from_bank: "From your bank to your balance.", "从银行账户转入余额。";
    withdraw: "Withdraw", "提现";
    to_bank: "From your balance to your bank.", "从余额转到银行账户。";
    bank_transfer: "Bank transfer", "银行转账";
    bank_fee_line: "Bank fee", "银行手续费";
    bank_reference: "Bank's number", "银行流水号";
    top_up_from: "Top-up from {}", "从{}充值";
    paid_from: "From {} for an order", "从{}付款";
    withdrawal_to: "Withdrawal to {}", "提现到{}";
    bank_on_its_way: "On its way", "处理中";
    bank_on_its_way_text: "The bank has it and is not done. Nothing is needed of you.", "银行正在处理，您无需操作。";
    bank_unknown: "Being checked", "核实中";
    bank_unknown_text: "The bank has not answered. We keep asking; the money is neither lost nor moved twice.", "银行尚未答复。我们会持续查询；资金不会丢失，也不会重复划转。";
    bank_done: "Done", "已完成";
    bank_done_text: "The bank moved the money.", "银行已完成划转。";
    bank_rejected: "Not done", "未完成";
    bank_rejected_in_text: "The bank moved nothing.", "银行未划转资金。";
    bank_rejected_out_text: "The bank moved nothing. What was held is free again.", "银行未划转资金，冻结部分已释放。";
    bank_to_balance: "To your balance", "转入余额";
    bank_from_account: "From your bank account", "银行账户支出";
    bank_to_account: "To your bank account", "银行账户到账";
    bank_from_balance: "From your balance", "余额支出";
    bank_transfers: "Bank transfers", "银行转账记录";
    reason_insufficient: "The bank account has too little.", "银行账户余额不足。";
    reason_closed: "The bank account is closed.", "银行账户已关闭。";
    reason_limit: "The amount is beyond a limit of the bank.", "金额超过银行限额。";
    reason_unreachable: "The bank could not be reached. Try again in a while.", "暂时无法连接银行，请稍后再试。";
    reason_link_over: "The link to the account has ended. Link it again.", "账户绑定已失效，请重新绑定。";
    reason_other: "The bank refused.", "银行拒绝了该请求。";
    no_bank_route: "No bank can carry that amount now.", "目前没有银行可以处理该金额。";
    bank_failed: "The bank does not answer. Nothing was moved; try again in a while.", "银行没有响应，资金未动，请稍后再试。";
    not_authorized: "The account was not linked. Begin again if you still want to.", "账户未绑定，如需绑定请重新开始。";
    pay_from_bank_unknown: "Nothing is ordered. If the bank moves the money, it arrives in your balance.", "尚未下单。如果银行完成划转，款项会进入您的余额。";

    // Public account.
    follow: "Follow", "关注";
    following: "Following", "已关注";
    unfollow: "Unfollow", "取消关注";
    unfollow_title: "Unfollow {}?", "取消关注 {}？";
    unfollow_text: "It can send you no more messages. Your orders and holdings stay as they are.", "它将不能再给您发消息。您的订单和持有不受影响。";
    followed: "You follow this account now.", "您已关注该公众号。";
    unfollowed: "You follow this account no longer.", "您已取消关注该公众号。";
    verified_institution: "Verified", "已认证";
    followers: "{} followers", "{} 人关注";
    one_follower: "1 follower", "1 人关注";
    services: "Services", "服务";
    no_service: "No service yet", "暂无服务";
    no_service_text: "This institution has not put a service online.", "该机构还没有上线服务。";
    messages: "Messages", "消息";
    no_message: "No message yet", "暂无消息";
    no_message_text: "What this account writes to you appears here.", "该公众号发给您的消息会显示在这里。";
    fund_company: "Fund company", "基金公司";
    insurer: "Insurer", "保险公司";
    biller: "Biller", "收费机构";
    bank: "Bank", "银行";

    // A service's page.
    service_of: "A service of", "服务提供方";
    service_safety: "You never type a password or a PIN on an institution's page.", "请勿在机构页面输入密码或支付密码。";
    service_unavailable: "The service does not answer", "服务暂时没有响应";
    service_unavailable_text: "{} did not answer. Nothing was ordered and nothing was charged; please try again in a while.", "{} 没有响应。没有下单，也没有扣款，请稍后再试。";
    try_again: "Try again", "再试一次";

    // Checkout.
    checkout: "Qiao checkout", "桥收银台";
    checkout_safety: "Only Qiao sees your PIN. The institution knows you by a pseudonym alone.", "只有桥能看到您的支付密码。机构只知道您的化名。";
    pay_amount: "Amount", "金额";
    redeem_worth: "Worth of the units", "份额价值";
    fees: "Fees", "费用";
    no_fees: "None", "无";
    paid_by_you: "You pay it", "由您支付";
    paid_inside: "Included in the amount", "已含在金额内";
    paid_by_institution: "The institution pays it", "由机构承担";
    fee_goes_to: "goes to {}", "收费方：{}";
    receiver_institution: "the institution", "机构";
    receiver_platform: "Qiao", "桥";
    receiver_channel: "the bank channel", "银行通道";
    receiver_developer: "the developer", "开发者";
    receiver_scene: "the account that sent you", "推荐账号";
    you_pay: "You pay", "您支付";
    you_receive: "You receive", "您收到";
    arrives: "Arrives", "到账";
    arrives_today: "The money arrives today, at once.", "资金今日实时到账。";
    arrives_on: "The money arrives on {}, the next business day.", "资金将于下一工作日 {} 到账。";
    holds_until: "This price holds until {}.", "此报价有效至 {}。";
    payment_method: "Payment method", "付款方式";
    paid_out_to: "Paid out to", "到账账户";
    taken_from: "Taken from {} {}", "从{} {}扣款";
    pay_so: "Pay from here", "改用此账户";
    method_differs: "Another way to pay was quoted", "付款方式与报价不符";
    method_differs_text: "Nothing was charged. The price follows from the way to pay; look at the price for the one you chose.", "没有扣款。价格因付款方式而异，请查看所选方式的报价。";
    confirm_pay: "Pay {}", "支付 {}";
    confirm_redeem: "Redeem and receive {}", "赎回并收到 {}";
    quote_expired: "The price has expired", "报价已过期";
    quote_expired_text: "Nothing was charged. Look at a fresh price before you confirm.", "没有扣款。请查看最新报价后再确认。";
    fresh_quote: "Get a fresh price", "获取最新报价";
    balance_too_small: "The balance is too small", "余额不足";
    balance_too_small_text: "You have {} and need {}. Nothing was charged.", "您有 {}，需要 {}。没有扣款。";
    go_top_up: "Top up the wallet", "去充值";
    too_few_units: "You do not have that many units free. Nothing was charged.", "可用份额不足。没有扣款。";
    pin_needed_text: "You need a payment PIN to confirm. It takes a minute.", "确认订单需要支付密码，设置只需一分钟。";
    pin_needed_to_withdraw: "You need a payment PIN to withdraw. It takes a minute.", "提现需要支付密码，设置只需一分钟。";
    pin_locked_title: "The PIN is locked", "支付密码已锁定";
    no_quote: "This is not for sale now", "暂时无法购买";
    offer_gone: "This offer is gone. Open the service again.", "该报价已失效，请重新打开服务。";
    key_reused: "This form was sent before with another content. Look at your orders.", "该表单曾以其他内容提交过，请查看您的订单。";
    being_worked_on: "This order is being worked on at this moment. Look at your orders.", "该订单正在处理，请查看您的订单。";
    see_orders: "See your orders", "查看订单";

    // Orders.
    no_orders: "No orders yet", "还没有订单";
    no_orders_text: "What you buy, redeem and pay appears here.", "您的购买、赎回和缴费会显示在这里。";
    order_number: "Order", "订单号";
    look_again: "Look again", "刷新";
    progress: "Progress", "进度";
    receipt: "Receipt", "回执";
    receipt_number: "Number", "编号";
    what_you_ordered: "What you ordered", "订单内容";
    product: "Product", "产品";
    institution: "Institution", "机构";
    kind: "Kind", "类型";
    purchase: "Purchase", "买入";
    redeem: "Redemption", "赎回";
    pay: "Payment", "缴费";
    payment: "Payment", "付款";
    refund: "Refund", "退款";
    state_held: "In progress", "处理中";
    state_held_text: "The money is held. The institution is fulfilling the order.", "资金已冻结，机构正在办理。";
    state_paid: "Paid, in progress", "已付款，处理中";
    state_paid_text: "The money is captured. The institution is fulfilling the order.", "已扣款，机构正在办理。";
    state_completed: "Completed", "已完成";
    state_completed_text: "The institution fulfilled the order.", "机构已办理完成。";
    state_voided: "Cancelled", "已取消";
    state_voided_text: "The institution did not fulfil the order. The held money is free again.", "机构未能办理，冻结资金已释放。";
    state_refunded: "Refunded", "已退款";
    state_refunded_text: "The institution did not fulfil the order. All of your money came back.", "机构未能办理，款项已全部退回。";
    state_unknown: "Being checked", "核实中";
    state_unknown_text: "The institution has not said how it ended. Your money is neither lost nor charged twice; the order ends when the answer is known.", "机构尚未告知结果。您的钱不会丢失，也不会重复扣款；得到答复后订单即告完成。";
    step_confirmed: "Confirmed", "已确认";
    step_held: "Money held", "资金冻结";
    step_paid: "Money captured", "已扣款";
    step_fulfilled: "Fulfilled by the institution", "机构办理";
    step_not_fulfilled: "Not fulfilled by the institution", "机构未能办理";
    step_posted: "Posted", "入账";
    step_voided: "Hold released", "解除冻结";
    step_refunded: "Money given back", "款项退回";
    payment_held: "Held", "冻结";
    payment_posted: "Posted", "已入账";
    payment_voided: "Voided", "已撤销";
    payment_refunded: "Refunded", "已退款";
    payment_partly_refunded: "Partly refunded", "部分退款";
    transfers: "Transfers", "账务明细";
    transfer_purpose: "What", "用途";
    transfer_from: "From", "付款方";
    transfer_to: "To", "收款方";
    transfer_state: "State", "状态";
    no_transfers: "No transfer yet", "暂无账务";
    no_transfers_text: "The ledger's transfers for it appear here.", "对应的账务会显示在这里。";

    transfer_posted: "Posted", "已入账";
    transfer_pending: "Held", "冻结";
    transfer_void: "Released", "已解冻";
    purpose_principal: "Principal", "本金";
    purpose_proceeds: "Proceeds", "赎回款";
    purpose_advance: "Advance of the bank", "银行垫资";
    purpose_given_back: "Given back: {}", "退回：{}";
    you: "You", "您";
    settlement_account: "{}, settlement", "{}·结算户";
    revenue_account: "{}, fees", "{}·费用户";
    receivable_account: "{}, still owed", "{}·应收户";
    advance_account: "{}, the bank's advance", "{}·银行垫资户";
    platform_account: "Qiao, fees", "桥·费用户";
    sandbox_account: "Sandbox bank", "沙盒银行";
    your_holding: "Your units", "您的份额";
    fund_units: "Units of the fund", "基金份额";

    // When a page cannot be shown.
    plugin_failed: "The institution's service broke off. Nothing was ordered and nothing was charged.", "机构的服务中断。没有下单，也没有扣款。";
    not_done: "This could not be done", "未能完成";
    not_done_because: "{}", "系统给出的原因：{}";
    not_found: "There is no such page", "页面不存在";
    not_found_text: "The address is wrong, or what was here is gone.", "地址有误，或内容已不存在。";
    not_allowed: "This page is not for you", "您无权查看此页面";
    not_allowed_text: "You are logged in, but this page belongs to somebody else, to another role, or to an institution that is suspended.", "您已登录，但此页面属于他人、其他角色，或已被暂停的机构。";
    something_failed: "Something failed on our side", "我们这边出了问题";
    something_failed_text: "We have noted it. Nothing that was not confirmed has been charged.", "我们已记录。未确认的内容不会扣款。";
    too_busy: "We cannot do this right now", "暂时无法处理";
    too_busy_text: "Please try again in a minute.", "请稍后再试。";
    go_home: "Go home", "回首页";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_say_something_with_as_many_values() {
        for (key, en, zh) in KEYS {
            assert!(!en.is_empty() && !zh.is_empty(), "{key}");
            assert_eq!(en.matches("{}").count(), zh.matches("{}").count(), "{key}");
        }
    }

    #[test]
    fn a_sentence_is_filled_from_left_to_right() {
        assert_eq!(
            fill("You have {} and need {}.", &[&"1", &2]),
            "You have 1 and need 2."
        );
        assert_eq!(fill("Nothing.", &[]), "Nothing.");
    }
}
