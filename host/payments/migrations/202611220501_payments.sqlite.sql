create trigger payment_no_delete before delete on payment begin select raise(abort, 'a payment is never deleted'); end;
create trigger payment_no_rewrite before update of id, order_id, institution_id, payer, method, currency, minor, splits, deliveries, description, expires_at, created_at on payment begin select raise(abort, 'a payment changes its state alone'); end;
create trigger payment_captured_once before update of captured on payment when old.captured <> new.captured and old.state <> 'held' begin select raise(abort, 'a payment is captured once'); end;
create trigger payment_state_forward before update of state on payment when not (old.state = new.state or (old.state = 'held' and new.state in ('posted', 'voided', 'partly-refunded', 'refunded')) or (old.state in ('posted', 'partly-refunded') and new.state in ('partly-refunded', 'refunded'))) begin select raise(abort, 'a payment goes forward'); end;
create trigger payment_refund_no_update before update on payment_refund begin select raise(abort, 'payment_refund is append-only'); end;
create trigger payment_refund_no_delete before delete on payment_refund begin select raise(abort, 'payment_refund is append-only'); end;
