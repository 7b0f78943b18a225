"""Words by which exports say yes, no, cancelled, refund, sale and void, in eleven languages.

A value comes in, its meaning goes out, or nothing where the word is not known: what is not known is
asked about or rejected, never guessed. Called by ``columns`` and ``catalogue``, and by whoever maps
the columns of an export.
"""

import re
import unicodedata
from collections.abc import Collection
from typing import Literal

WordMeaning = Literal["yes", "no", "cancelled", "refund", "sale", "void"]

_SIGNED = re.compile(r"[-−]\s*\d+")
#: Letters that no normal form brings together: Turkish and Polish, Arabic beside Persian.
_LETTERS = str.maketrans("ıłيىكةیۀە", "ilییکهیهه")
_VOICED = ("\u3099", "\u309a")  # marks that make another Japanese letter, not an accent
#: How WooCommerce's tables write a status: ``wc-completed``.
_PREFIX = "wc"


def fold(text: str) -> str:
    """Write a word the way the sets below have it: lower case, no accents, blanks, punctuation.

    What consists of signs only stays as it is, and a minus before a number too: -1 is not 1.
    """
    # İ would leave a dot behind its i, which goes with the accents.
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    if _SIGNED.fullmatch(plain):
        return "-" + re.sub(r"\D", "", plain)
    letters = "".join(
        letter
        for letter in unicodedata.normalize("NFKD", plain)
        if (letter.isalnum() and letter != "ـ") or letter in _VOICED
    )
    return unicodedata.normalize("NFC", letters).translate(_LETTERS) or plain


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in re.split(r"[,\n]", words) if word.strip())


YES = _folded("""
    1, y, yes, t, true, x, on, ✓, ✔, ☑
    j, ja, jawohl, wahr, oui, vrai, sí, sì, verdadero, vero, tak, prawda, sim
    evet, var, doğru, نعم, أجل, صواب, بله, بلی, آری, درست
    კი, დიახ, ჭეშმარიტი, はい, 有, 有り, あり, 真
""")
NO = _folded("""
    0, n, no, f, false, off, not cancelled, not canceled, not refunded, not voided, -, –, —
    nein, falsch, nicht storniert, non, faux, non annulé, no cancelado, no anulado, falso
    non annullato, nie, fałsz, nie anulowano, nee, não
    hayır, yok, yanlış, iptal edilmedi, لا, كلا, غير ملغي, غير ملغى, خیر, نه, نادرست, لغو نشده
    არა, მცდარი, いいえ, 無, 無し, なし, 偽
""")
CANCELLED = _folded("""
    cancelled, canceled, cancel, cancellation, cancelation, cancelled order, order cancelled
    order canceled, cancelled by customer, canceled by customer, cancelled by buyer
    canceled by buyer, cancelled by seller, canceled by seller, cancelled by merchant
    canceled by merchant, customer cancelled, customer canceled, auto cancelled, auto canceled
    fully cancelled, fully canceled, trash, trashed, aborted, abandoned
    failed, failure, payment failed, payment failure, payment error, declined, payment declined
    card declined, denied, rejected, expired, payment expired, timed out
    storniert, annulliert, abgebrochen, bestellung storniert, auftrag storniert, abgesagt
    fehlgeschlagen, zahlung fehlgeschlagen, abgelehnt, zahlung abgelehnt, verweigert, abgelaufen
    annulé, annulée, annulés, annulées, annuler, annulation, commande annulée, abandonné, abandonnée
    échoué, échouée, échec, paiement échoué, échec du paiement, échec de paiement, refusé, refusée
    paiement refusé, rejeté, rejetée, expiré, expirée
    cancelado, cancelada, cancelados, canceladas, cancelación, anulado, anulada, pedido cancelado
    pedido anulado, abandonado, fallido, fallida, pago fallido, error de pago, rechazado, rechazada
    pago rechazado, denegado, denegada, caducado, caducada, expirado, expirada, vencido
    annullato, annullata, annullati, annullate, annullamento, cancellato, cancellata
    ordine annullato, fallito, fallita, non riuscito, pagamento fallito, pagamento non riuscito
    rifiutato, rifiutata, pagamento rifiutato, respinto, respinta, scaduto, scaduta
    anulowano, anulowany, anulowana, anulowane, anulowanie, anuluj, zamówienie anulowane
    odwołano, odwołane, nieudane, nieudana, nieudany, płatność nieudana, nieudana płatność
    płatność odrzucona, odrzucono, odrzucony, odrzucona, odrzucone, wygasło, wygasły, wygasła
    wygasłe, przeterminowane
    geannuleerd, mislukt
    iptal, iptal edildi, iptal edilmiş, iptal edilen, sipariş iptal edildi, vazgeçildi, başarısız
    ödeme başarısız, reddedildi, ödeme reddedildi, süresi doldu, süresi geçti, zaman aşımı
    ملغي, ملغى, ملغاة, ملغية, ألغي, ألغيت, إلغاء, تم الإلغاء, تم إلغاؤه, تم إلغاء الطلب, الطلب ملغي
    فشل, فاشل, فاشلة, فشل الدفع, فشلت, مرفوض, مرفوضة, تم الرفض, منتهي, منتهية, منتهي الصلاحية
    منتهية الصلاحية, انتهت الصلاحية
    لغو, لغو شد, لغو شده, لغو شده است, کنسل, کنسل شد, کنسل شده, سفارش لغو شده, انصراف, ناموفق
    پرداخت ناموفق, شکست خورده, رد شده, رد شد, پرداخت رد شده, منقضی, منقضی شده
    გაუქმებული, გაუქმებულია, გაუქმდა, გაუქმება, წარუმატებელი, ვერ შესრულდა, გადახდა ვერ შესრულდა
    უარყოფილი, უარყოფილია, ვადაგასული, ვადა გაუვიდა
    キャンセル, キャンセル済, キャンセル済み, キャンセルされました, 注文キャンセル, 取消, 取消し
    取り消し, 取消済, 取消済み, 取り消し済み, 中止, 解約, 失敗, 決済失敗, 支払失敗, 支払い失敗
    決済エラー, 拒否, 却下, 期限切れ, 有効期限切れ
""")
REFUND = _folded("""
    refund, refunds, refunded, return, returns, returned, sales return, sale return, customer return
    return sale, fully refunded, full refund, payment refunded, payment refund, money back
    credit note, credit memo, reimbursed, reimbursement
    rückgabe, rueckgabe, rücknahme, ruecknahme, retoure, retouren, retour, retourniert
    rückerstattung, rueckerstattung, rückerstattet, rueckerstattet, erstattung, erstattet
    gutschrift, zurückgegeben, zurueckgegeben, warenrücknahme, warenruecknahme, rückzahlung
    rueckzahlung, remboursement, remboursé, remboursée, remboursés, retourné, retournée, retours
    retour client, avoir, note de crédit
    devolución, devoluciones, devuelto, devuelta, reembolso, reembolsado, reembolsada
    nota de crédito, nota de abono, abono, devolução
    reso, resi, rimborso, rimborsi, rimborsato, rimborsata, restituito, restituita, restituzione
    nota di credito, reso cliente
    zwrot, zwroty, zwrócono, zwrócony, zwrócona, zwrócone, zwrot pieniędzy, zwrot towaru, refundacja
    korekta, faktura korygująca
    iade, iadeler, iade edildi, iade edilmiş, iade edilen, para iadesi, geri ödeme, geri ödendi
    satış iadesi, satıştan iade, iade faturası
    مرتجع, مرتجعات, مرتجع مبيعات, مردود, مردودات, مردود مبيعات, إرجاع, تم الإرجاع, استرجاع
    تم الاسترجاع, مسترجع, استرداد, تم الاسترداد, مسترد, مستردة, استرداد الأموال, إشعار دائن
    مرجوعی, مرجوع, مرجوع شده, برگشت, برگشتی, برگشت خورده, برگشت از فروش, برگشت کالا, عودت, عودت وجه
    عودت داده شده, بازگشت, بازگشت وجه, بازپرداخت, استرداد وجه, مسترد شده
    დაბრუნება, დაბრუნებული, დაბრუნებულია, თანხის დაბრუნება, უკან დაბრუნება
    返品, 返品済, 返品済み, 返金, 返金済, 返金済み, 全額返金, 払い戻し, 払戻, 払戻し, 返却
""")
SALE = _folded("""
    sale, sales, sold, sell, purchase, purchased, order, payment, paid, invoice, receipt, completed
    complete, fulfilled, shipped, delivered, processing, processed, captured, succeeded, success
    successful
    verkauf, verkäufe, verkaeufe, verkauft, kauf, bezahlt, rechnung, abgeschlossen, versandt
    versendet, geliefert, zugestellt, bestellung, in bearbeitung
    vente, ventes, vendu, vendue, achat, payé, payée, facture, terminé, terminée, expédié, expédiée
    livré, livrée, commande
    venta, ventas, vendido, vendida, compra, pagado, pagada, factura, completado, completada
    enviado, enviada, entregado, entregada, pedido
    vendita, vendite, venduto, venduta, acquisto, pagato, pagata, fattura, completato, completata
    spedito, spedita, consegnato, consegnata, ordine
    sprzedaż, sprzedano, sprzedany, sprzedane, zakup, opłacono, opłacone, opłacony, zapłacono
    zapłacone, faktura, paragon, zrealizowano, zrealizowane, zakończone, wysłano, wysłane
    dostarczono, dostarczone, zamówienie
    satış, satışlar, satıldı, satın alma, ödendi, fatura, tamamlandı, kargolandı, teslim edildi
    sipariş
    بيع, مبيعات, مباع, شراء, مدفوع, مدفوعة, تم الدفع, فاتورة, فاتورة مبيعات, مكتمل, مكتملة
    تم التوصيل, تم التسليم, تم الشحن, طلب
    فروش, فروخته شد, فروخته شده, خرید, پرداخت شده, پرداخت شد, فاکتور, فاکتور فروش, تکمیل شده
    ارسال شده, تحویل شده, تحویل داده شده, سفارش
    გაყიდვა, გაყიდვები, გაყიდული, გაყიდულია, შეძენა, გადახდილი, გადახდილია, ინვოისი
    დასრულებული, დასრულებულია, მიწოდებული, შეკვეთა
    販売, 売上, 売り上げ, 売却, 購入, 支払済, 支払い済み, 支払済み, 決済済み, 完了, 注文, 発送済み
    配達済み, 納品済み
""")
VOID = _folded("""
    void, voided, voids, voided sale, voided line, void line, line void, post void, item void
    void sale, struck out, nullified, reversal, reversed
    storno, stornos, stornierung, sofortstorno, zeilenstorno, positionsstorno, postenstorno
    bonstorno, belegstorno, stornobuchung, stornobeleg, stornorechnung
    ticket annulé, ligne annulée, anulación, anulaciones, ticket anulado, línea anulada
    annullo, storni, stornato, scontrino annullato, riga annullata
    stornowano, stornowany, storno paragonu, unieważniono, unieważniony, unieważnione
    geçersiz, fiş iptali, satır iptali, iptal fişi
    باطل, باطلة, لاغي, لاغية, إبطال, تم الإبطال, باطل شده, باطل شد, ابطال شده, ابطالی
    ბათილი, ანულირებული, ანულირებულია, ანულირება, სტორნო
    無効, 無効化, 打消, 打消し, 打ち消し, 訂正取消
""")
_MEANINGS: dict[str, WordMeaning] = {
    **dict.fromkeys(YES, "yes"),
    **dict.fromkeys(NO, "no"),
    **dict.fromkeys(CANCELLED, "cancelled"),
    **dict.fromkeys(REFUND, "refund"),
    **dict.fromkeys(SALE, "sale"),
    **dict.fromkeys(VOID, "void"),
}
#: Yes and no by letters that mean something else elsewhere: an O may be oui, or open.
_PAIRS = (("o", "n"), ("s", "n"), ("e", "h"), ("v", "f"), ("w", "f"))


def meaning_of_word(text: str) -> WordMeaning | None:
    """Tell what a word means; None where it is not known.

    Parameters
    ----------
    text : str
        A value of an export; case, accents, blanks and a leading ``wc-`` do not matter.

    Returns
    -------
    {"yes", "no", "cancelled", "refund", "sale", "void"} or None
    """
    word = fold(text)
    return _MEANINGS.get(word) or _MEANINGS.get(word.removeprefix(_PREFIX))


def words_by_meaning(texts: Collection[str]) -> dict[str, WordMeaning | None]:
    """Tell what each value of one column means.

    Beyond ``meaning``, letters are read by the company they keep: an O beside an N is *oui*.
    Where the column holds anything else, it stays unknown.

    Parameters
    ----------
    texts : collection of str
        All values of the column, each once.

    Returns
    -------
    dict of str to str or None
        Text → what ``meaning_of_word`` has for it; None where it is not known.
    """
    known = {text: meaning_of_word(text) for text in texts}
    folded = {text: fold(text) for text in texts}
    letters = {word for word in folded.values() if known.get(word) != "no" or len(word) == 1}
    for yes, no in _PAIRS:
        if letters == {yes, no}:
            return {text: "yes" if word == yes else "no" for text, word in folded.items()}
    return known
