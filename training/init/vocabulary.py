"""Words in columns of exports, in many languages, folded by ``headers``.

``values.vocabulary`` has the words for yes, no, cancelled and refunded, which the ingest uses too.
This module has words that only ``init`` needs: for channels, for completed orders, for postage,
bags and tips, and for guests.
"""

from training.init.headers import phrases

CHANNEL_WORDS: dict[str, tuple[str, ...]] = {
    "pos": phrases(
        "pos, store, in store, instore, retail, offline, till, brick and mortar, physical, shop, "
        "branch, flagship store, point of sale, Filiale, Laden, stationär, Kasse, magasin, "
        "boutique, en magasin, tienda, tienda física, negozio, punto vendita, sklep, "
        "sklep stacjonarny, mağaza, متجر, فروشگاه, მაღაზია, 店舗, 実店舗"
    ),
    "web": phrases(
        "web, online, ecommerce, e commerce, ecom, website, webshop, web shop, internet, "
        "online shop, online store, eshop, e shop, web store, en ligne, boutique en ligne, "
        "en línea, tienda online, sito, negozio online, sklep internetowy, çevrimiçi, "
        "internet sitesi, متجر إلكتروني, فروشگاه اینترنتی, آنلاین, ონლაინ, オンライン, ネット"
    ),
    "app": phrases("app, mobile app, ios, android, iphone, aplikacja, uygulama, アプリ"),
    "marketplace": phrases(
        "marketplace, amazon, ebay, etsy, zalando, otto, kaufland, bol, allegro, trendyol, "
        "hepsiburada, n11, rakuten, 楽天, 楽天市場, cdiscount, mercado libre"
    ),
    "email": phrases("email, newsletter"),
}
#: Words for an ordinary sale in a column of line or document types.
SALE_WORDS = frozenset(
    phrases(
        "sale, s, sales, sold, normal, purchase, payment, order, invoice, receipt, charge, "
        "Verkauf, Kauf, Rechnung, vente, achat, facture, venta, compra, factura, vendita, "
        "acquisto, fattura, sprzedaż, faktura, paragon, satış, fatura, بيع, فروش, فاکتور, "
        "გაყიდვა, 売上, 販売, 購入"
    )
)
#: Words for a completed or active order.
DONE_WORDS = frozenset(
    phrases(
        "completed, complete, closed, done, finished, paid, processing, processed, shipped, "
        "delivered, fulfilled, unfulfilled, dispatched, sent, invoiced, confirmed, approved, "
        "accepted, ok, success, successful, open, new, active, partial, partially fulfilled, "
        "partially paid, partially shipped, settled, captured, authorized, ready, picked up, "
        "collected, in transit, out for delivery, picking, packed, sale, posted, on hold, "
        "abgeschlossen, bezahlt, versendet, versandt, geliefert, zugestellt, in Bearbeitung, "
        "offen, erledigt, bestätigt, fertig, terminé, terminée, payé, payée, expédié, expédiée, "
        "livré, livrée, en cours, validé, validée, completado, pagado, enviado, entregado, "
        "en proceso, completato, pagato, spedito, consegnato, in lavorazione, zrealizowane, "
        "opłacone, wysłane, dostarczone, w realizacji, zakończone, tamamlandı, ödendi, "
        "kargolandı, kargoya verildi, teslim edildi, hazırlanıyor, onaylandı, مكتمل, مدفوع, "
        "تم التوصيل, تم الشحن, تکمیل شده, پرداخت شده, ارسال شده, تحویل شده, "
        "დასრულებული, გადახდილი, მიწოდებული, 完了, 支払済, 発送済, 配達済, 出荷済"
    )
)
#: Words for an order that was never paid or placed.
UNPAID_WORDS = frozenset(
    phrases(
        "pending payment, payment pending, awaiting payment, unpaid, draft, checkout draft, trash, "
        "expired, abandoned, declined, rejected, denied, failed, error, payment failed, deleted, "
        "abgelehnt, fehlgeschlagen, unbezahlt, gelöscht, échouée, échoué, refusé, refusée, "
        "en attente de paiement, rechazado, fallido, rifiutato, fallito, odrzucone, nieopłacone, "
        "reddedildi, başarısız, فشل, ناموفق, مرفوض, უარყოფილი, 失敗, 未払い"
    )
)
#: Parts of words for partial returns.
PARTS = phrases(
    "partial, partly, teilweise, teil, partiel, parcial, parziale, częściow, kısm, جزئي, بخشی, "
    "ნაწილობრივ, 一部"
)
#: Negating prefixes.
NEGATIONS = ("not ", "non ", "no ", "non-", "nicht ", "kein ", "keine ", "nie ", "un")

#: Ids and titles of lines that are clearly not products.
FEE_WORDS = frozenset(
    phrases(
        "post, postage, shipping, shipping fee, shipping cost, shipping costs, shipping charge, "
        "ship, carriage, delivery, delivery fee, delivery charge, delivery cost, freight, p&p, "
        "postage and packing, packing, packaging, standard shipping, express shipping, "
        "service fee, service charge, handling, handling fee, bank charges, "
        "bag, bags, bag charge, bag fee, bag levy, carrier bag, carrier bags, plastic bag, "
        "paper bag, shopping bag, deposit, bottle deposit, can deposit, tip, tips, gratuity, "
        "rounding, cash rounding, "
        "Versand, Versandkosten, Versandkostenpauschale, Porto, Lieferung, Liefergebühr, "
        "Lieferkosten, Verpackung, Bearbeitungsgebühr, Servicegebühr, Tüte, Tragetasche, "
        "Einkaufstüte, Papiertüte, Plastiktüte, Papiertragetasche, Pfand, Flaschenpfand, "
        "Dosenpfand, Einwegpfand, Mehrwegpfand, Trinkgeld, Rundung, "
        "port, frais de port, frais de livraison, livraison, expédition, sac, sac plastique, "
        "sac papier, sac de caisse, consigne, pourboire, arrondi, frais de service, "
        "envío, gastos de envío, portes, bolsa, bolsa de plástico, bolsa de papel, depósito, "
        "fianza, propina, redondeo, spedizione, spese di spedizione, consegna, sacchetto, busta, "
        "shopper, cauzione, mancia, arrotondamento, wysyłka, koszt wysyłki, dostawa, przesyłka, "
        "torba, reklamówka, kaucja, napiwek, kargo, kargo ücreti, teslimat, poşet, "
        "alışveriş poşeti, "
        "depozito, bahşiş, الشحن, شحن, رسوم التوصيل, توصيل, كيس, إكرامية, "
        "هزینه ارسال, حمل و نقل, کیسه, انعام, მიწოდება, პარკი, 送料, 配送料, レジ袋, 買物袋, "
        "デポジット"
    )
)
#: Of these, deposits: refunded as often as paid.
DEPOSIT_WORDS = frozenset(
    phrases(
        "deposit, bottle deposit, can deposit, Pfand, Flaschenpfand, Dosenpfand, Einwegpfand, "
        "Mehrwegpfand, consigne, depósito, fianza, cauzione, kaucja, depozito, デポジット"
    )
)
#: Of these, items that a shop may also sell; as fees they are cheap.
BAG_WORDS = frozenset(
    phrases(
        "bag, bags, carrier bag, carrier bags, plastic bag, paper bag, shopping bag, Tüte, "
        "Tragetasche, sac, bolsa, sacchetto, busta, shopper, torba, reklamówka, poşet, كيس, کیسه, "
        "პარკი, packaging, Verpackung, port, portes"
    )
)
_MAYBE_FEE_WORDS_TEXT = (
    "postage, shipping, carriage, delivery charge, gift card, gift voucher, voucher, coupon, "
    "bank charges, service fee, handling fee, deposit, bag charge, manual, adjust, donation, "
    "versand, pfand, gutschein, tragetasche, trinkgeld, porto, frais de, consigne, carte cadeau, "
    "bon d'achat, gastos de, tarjeta regalo, spese di, carta regalo, buono, karta podarunkowa, "
    "bon podarunkowy, hediye kart, kargo, ギフトカード, 送料, بطاقة هدية, کارت هدیه"
)
#: Parts of titles of lines that may not be products.
MAYBE_FEE_WORDS = tuple(_MAYBE_FEE_WORDS_TEXT.split(", "))
_VOUCHER_WORDS_TEXT = (
    "voucher, coupon, discount, gutschein, rabatt, remise, bon d'achat, cupón, descuento, buono, "
    "sconto, kupon, indirim, クーポン, 割引, كوبون, تخفیف"
)
#: Parts of titles of vouchers, which may reduce an order; the ingest detects them by sign.
VOUCHER_WORDS = tuple(_VOUCHER_WORDS_TEXT.split(", "))

#: Words that shops write for guests.
GUEST_WORDS = frozenset(
    phrases(
        "guest, walk in, walk in customer, anonymous, cash customer, cash sale, no customer, "
        "default, default customer, counter, counter sale, Gast, Laufkunde, Laufkundschaft, "
        "Barverkauf, Barkunde, Diverse, invité, client de passage, client comptoir, passage, "
        "anonyme, invitado, cliente general, público general, consumidor final, mostrador, "
        "ospite, cliente generico, gość, klient detaliczny, misafir, perakende müşteri, ضيف, زائر, "
        "عميل نقدي, مهمان, მომხმარებელი სტუმარი, ゲスト, 一般客"
    )
)
