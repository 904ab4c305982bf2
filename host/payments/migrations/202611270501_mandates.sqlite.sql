create trigger mandate_no_delete before delete on mandate begin select raise(abort, 'a mandate is never deleted'); end;
create trigger mandate_no_rewrite before update of id, user_id, institution_id, plugin_id, title, purpose, reference, currency, per_payment, per_day, per_month, count_max, payees, products, expires_at, created_at on mandate begin select raise(abort, 'what was allowed never changes'); end;
create trigger mandate_stays_revoked before update of revoked_at on mandate when old.revoked_at is not null begin select raise(abort, 'a revoked mandate stays so'); end;
