create trigger mandate_offer_no_update before update on mandate_offer begin select raise(abort, 'an offer never changes'); end;
