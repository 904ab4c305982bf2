create trigger mandate_offer_no_update before update on mandate_offer begin select raise(abort, 'an offer never changes'); end;
create trigger charge_no_update before update on charge begin select raise(abort, 'a charge never changes'); end;
