"""Column names in retailers' exports by field, in many languages.

Best match first; ``headers`` folds them, so case, blanks and accents do not matter. Read by
``mapping`` and the modules that examine values.
"""

from training.init.headers import phrases

ORDER_NAMES: dict[str, tuple[str, ...]] = {
    "order_id": phrases(
        "order id, amazon order id, order number, order no, order nr, order, order name, "
        "order ref, order reference, "
        "sales order, sales document, billing document, so number, so no, vbeln, header id, "
        "invoice no, invoice number, invoice id, invoice, ticket id, ticket no, ticket number, "
        "ticket, receipt id, receipt no, receipt number, receipt, bill no, bill number, bill id, "
        "check number, check id, transaction id, transaction no, transaction number, "
        "transaction key, transaction, basket id, basket, sales id, sale id, sale number, "
        "document no, document number, document id, document, "
        "Bestellnummer, Bestellnr, Bestell ID, Bestellung, Auftragsnummer, Auftragsnr, Auftrag, "
        "Bonnummer, Bonnr, Bon ID, Kassenbon, Kassenbonnr, Bon, Belegnummer, Belegnr, Beleg, "
        "Rechnungsnummer, Rechnungsnr, Rechnung, Vorgangsnummer, Vorgang, "
        "numéro de commande, numéro commande, no commande, n commande, num commande, id commande, "
        "commande, numéro de ticket, numéro ticket, no ticket, n ticket, num ticket, id ticket, "
        "ticket de caisse, numéro de facture, numéro facture, no facture, n facture, facture, "
        "número de pedido, número pedido, no pedido, n pedido, id pedido, pedido, "
        "número de ticket, número ticket, n de ticket, número de factura, n factura, factura, "
        "número de recibo, número recibo, n recibo, recibo, boleta, n boleta, folio, comprobante, "
        "n comprobante, numéro de reçu, reçu, numero ricevuta, "
        "ricevuta, numero ordine, numero d'ordine, n ordine, id ordine, ordine, numero scontrino, "
        "n scontrino, scontrino, numero fattura, n fattura, fattura, "
        "numer zamówienia, nr zamówienia, id zamówienia, zamówienie, numer paragonu, nr paragonu, "
        "paragon, numer faktury, nr faktury, faktura, numer dokumentu, nr dokumentu, "
        "makbuz numarası, makbuz no, sipariş no, sipariş numarası, sipariş id, sipariş, fiş no, "
        "fiş numarası, fiş, fatura no, "
        "fatura numarası, fatura, "
        "رقم الطلب, رقم الفاتورة, الطلب, الفاتورة, شماره سفارش, شماره فاکتور, سفارش, فاکتور, "
        "შეკვეთის ნომერი, ჩეკის ნომერი, ქვითრის ნომერი, შეკვეთა, ჩეკი, "
        "رقم الإيصال, شماره رسید, 注文番号, 注文ID, 受注番号, 伝票番号, レシート番号, "
        "領収書番号, 取引番号"
    ),
    "line_no": phrases(
        "line no, line number, line nr, line id, line, "
        "order item id, position, posnr, pos, seq, sequence, "
        "Positionsnummer, Posnr, Zeile, ligne, numéro de ligne, línea, riga, pozycja, lp, satır, "
        "satır no, 行番号, 明細番号"
    ),
    "occurred_at": phrases(
        "occurred at, sold at, ordered at, ordered on, ordered date, ordered, order placed, "
        "placed at, "
        "placed on, bestellt am, bestellt, commandé le, created at, purchased at, datetime, "
        "date time, "
        "date and time, timestamp, transaction datetime, transaction timestamp, order datetime, "
        "order purchase timestamp, purchase timestamp, order timestamp, "
        "invoice date, order date, transaction date, purchase date, sale date, sales date, "
        "ticket date, receipt date, bill date, billing date, posting date, fkdat, audat, erdat, "
        "bldat, budat, t dat, date, created on, date created, created, "
        "local time, closed at, completed at, time, day, "
        "Bestelldatum, Rechnungsdatum, Belegdatum, Verkaufsdatum, Kaufdatum, Bondatum, "
        "Buchungsdatum, Zeitpunkt, Datum, Zeitstempel, date de commande, date commande, "
        "date de vente, date vente, date d'achat, date du ticket, date facture, "
        "fecha de pedido, fecha pedido, fecha de venta, fecha venta, fecha de compra, "
        "fecha y hora, fecha, data ordine, data dell'ordine, data vendita, data e ora, "
        "data zamówienia, data sprzedaży, data zakupu, data, sipariş tarihi, satış tarihi, "
        "fatura tarihi, işlem tarihi, fiş tarihi, tarih, تاريخ الطلب, تاريخ الفاتورة, التاريخ, "
        "تاريخ, تاریخ سفارش, تاریخ, შეკვეთის თარიღი, თარიღი, 注文日時, 注文日, 購入日, 購入日時, "
        "取引日時, 取引日, 売上日, 日時, 日付"
    ),
    "location_id": phrases(
        "location id, store id, store no, store number, store code, store, shop id, shop no, "
        "shop, branch id, branch, outlet id, outlet, warehouse id, warehouse, site id, site, "
        "location, plant, werks, store name, shop name, Filiale, Filialnr, Filialnummer, "
        "Filial ID, Markt, "
        "Laden, magasin, boutique, point de vente, succursale, tienda, sucursal, local, negozio, "
        "punto vendita, filia, sklep, mağaza, mağaza kodu, şube, الفرع, المتجر, فرع, فروشگاه, "
        "شعبه, "
        "მაღაზია, ფილიალი, 店舗, 店舗コード, 店舗ID, 店舗名"
    ),
    "channel": phrases(
        "channel, sales channel id, sales channel, channel id, order channel, channel name, "
        "order source, sales source, source channel, store type, shop type, Vertriebskanal, "
        "Verkaufskanal, Kanal, canal de vente, canal, canal de venta, canale di vendita, canale, "
        "kanał sprzedaży, kanał, satış kanalı, القناة, قناة البيع, کانال فروش, არხი, 販売チャネル, "
        "チャネル"
    ),
    "item_id": phrases(
        "item id, sku, stock code, product sku, item sku, variant sku, product id, "
        "item product id, "
        "article id, item no, item number, item code, product code, product no, product number, "
        "article no, article number, article code, inventory item id, ordered item, material no, "
        "material number, material, matnr, plu, ean, gtin, "
        "upc, ean code, barcode, item, product, article, "
        "Artikelnummer, Artikelnr, Artikel ID, Artikel Nr, Art Nr, Artnr, Materialnummer, "
        "Produktnummer, Produkt ID, Artikel, Produkt, code article, référence article, "
        "référence, réf, code produit, id produit, code barre, produit, código de producto, "
        "código producto, código artículo, id producto, referencia, ref, código, código de barras, "
        "producto, artículo, codice articolo, codice prodotto, id prodotto, codice, prodotto, "
        "articolo, kod produktu, kod towaru, id produktu, indeks, towar, ürün kodu, ürün id, "
        "stok kodu, barkod, ürün, رمز المنتج, كود المنتج, رقم المنتج, المنتج, الصنف, کد محصول, "
        "کد کالا, شناسه محصول, محصول, کالا, პროდუქტის კოდი, კოდი, შტრიხკოდი, პროდუქტი, 商品コード, "
        "商品番号, 商品ID, 品番, JANコード, 商品, code, item ref"
    ),
    "title": phrases(
        "title, item name, product name, product title, item title, article name, lineitem name, "
        "description, item description, product description, material description, desc, arktx, "
        "maktx, name of product, "
        "Artikelbezeichnung, Artikelname, Produktname, Bezeichnung, Bez, Artikeltext, "
        "désignation, libellé, nom du produit, nom produit, descripción, "
        "nombre del producto, nombre producto, descrizione, nome prodotto, nazwa produktu, "
        "nazwa towaru, nazwa, opis, ürün adı, ürün ismi, stok adı, açıklama, اسم المنتج, الوصف, "
        "نام محصول, نام کالا, شرح, პროდუქტის სახელი, დასახელება, 商品名, 品名, "
        "item, product, article, Artikel, Produkt, produit, producto, artículo, prodotto, "
        "articolo, towar, produkt, ürün, المنتج, محصول, 商品"
    ),
    "quantity": phrases(
        "quantity, qty, units, pieces, quantity sold, quantity ordered, qty sold, qty ordered, "
        "units sold, item quantity, ordered quantity, quantity order, invoiced quantity, "
        "billed quantity, fkimg, kwmeng, count, Menge, Anzahl, Stückzahl, Stück, Stk, quantité, "
        "qté, "
        "cantidad, cant, unidades, uds, quantità, qta, pezzi, ilość, sztuk, szt, miktar, adet, "
        "الكمية, كمية, تعداد, مقدار, რაოდენობა, 数量, 個数"
    ),
    "unit_price": phrases(
        "unit price, price per unit, price piece, price each, shelf price, list price, "
        "retail price, base price, unit selling price, selling price, sale price, net price, "
        "netpr, "
        "price, rate, "
        "Einzelpreis, Stückpreis, Verkaufspreis, VK Preis, VKPreis, VK, E Preis, Preis, "
        "prix unitaire, prix unitaire ttc, PU, PU TTC, prix, precio unitario, precio, P V P, "
        "prezzo unitario, prezzo, cena jednostkowa, cena, birim fiyat, birim fiyatı, fiyat, "
        "سعر الوحدة, السعر, قیمت واحد, قیمت, فی, ერთეულის ფასი, ფასი, 単価, 販売価格, 価格"
    ),
    "discount": phrases(
        "discount, discount amount, discount value, line discount, item discount, discounts, "
        "item promotion discount, promotion discount, "
        "total discount, retail disc, rebate, Rabatt, Rabatte, Nachlass, remise, remises, "
        "réduction, "
        "réductions, descuento, descuentos, dto, sconto, sconti, rabat, rabaty, indirim, "
        "indirimler, iskonto, indirim tutarı, الخصم, الخصومات, خصم, تخفیف, تخفیفات, ფასდაკლება, "
        "割引額, 割引, 値引額, 値引"
    ),
    "amount": phrases(
        "amount, line amount, line total, item total, extended price, net sales, sales value, "
        "sales amount, total price, total amount, total, amount paid, paid, net amount, "
        "gross amount, gross sales, net total, net value, netwr, extended amount, revenue, sales, "
        "turnover, Nettoumsatz, Nettoverkäufe, Nettoverkauf, Bruttoumsatz, Bruttoverkäufe, "
        "ventes nettes, ventes brutes, ventas netas, ventas brutas, vendite nette, vendite lorde, "
        "sprzedaż netto, sprzedaż brutto, net satışlar, brüt satışlar, صافي المبيعات, "
        "إجمالي المبيعات, فروش خالص, فروش ناخالص, წმინდა გაყიდვები, 純売上高, 純売上, 総売上高, "
        "総売上, "
        "Zeilenbetrag, Positionsbetrag, Betrag, Gesamtpreis, Summe, Gesamt, Gesamtbetrag, Umsatz, "
        "gross, net, Brutto, Bruttobetrag, Netto, Nettobetrag, "
        "total ligne, montant ligne, montant ttc, "
        "montant, total ttc, importe línea, total línea, importe, importe total, totale riga, "
        "importo, totale, wartość brutto, wartość, kwota, suma, satır tutarı, tutar, "
        "toplam tutar, toplam, المبلغ, الإجمالي, المجموع, مبلغ, مبلغ کل, جمع, თანხა, ჯამი, სულ, "
        "金額, 売上金額, 小計, 合計"
    ),
    "order_discount": phrases(
        "order discount, order discount amount, cart discount, cart discount amount, "
        "cart discount total, coupon discount, coupon amount, basket discount, voucher amount, "
        "Bestellrabatt, Gutscheinbetrag, "
        "remise commande, descuento pedido, sconto ordine, rabat zamówienia, "
        "クーポン割引, クーポン値引, クーポン利用額"
    ),
    "order_total": phrases(
        "order total, order total amount, order amount, order value, grand total, invoice total, "
        "invoice amount, ticket total, receipt total, basket total, cart total, basket value, "
        "bill total, total order, total order amount, order price, Bestellsumme, Bestellwert, "
        "Auftragssumme, Rechnungsbetrag, Rechnungssumme, Bonsumme, total commande, "
        "montant commande, montant de la commande, total ticket, total facture, total pedido, "
        "importe pedido, total factura, totale ordine, totale scontrino, suma zamówienia, "
        "wartość zamówienia, sipariş tutarı, sipariş toplamı, fatura tutarı, إجمالي الطلب, "
        "إجمالي الفاتورة, جمع سفارش, جمع فاکتور, შეკვეთის ჯამი, 注文合計, 注文金額, 合計金額"
    ),
    "order_shipping": phrases(
        "order shipping, shipping total, shipping, shipping amount, shipping cost, shipping fee, "
        "shipping price, freight, postage, delivery fee, delivery charge, Versandkosten, Versand, "
        "frais de port, livraison, gastos de envío, envío, spese di spedizione, spedizione, "
        "koszt wysyłki, dostawa, kargo ücreti, kargo, الشحن, هزینه ارسال, 送料"
    ),
    "order_tax": phrases(
        "order tax, tax total, order tax amount, tax amount, taxes, tax, vat, vat amount, "
        "sales tax, MwSt, Mehrwertsteuer, USt, TVA, IVA, KDV, PTU, الضريبة, مالیات, დღგ, 消費税"
    ),
    "refunded_quantity": phrases(
        "refunded quantity, refunded qty, item refunded qty, quantity refunded, qty refunded, "
        "returned quantity, returned qty, quantity returned, qty returned, "
        "Menge zurück, Retourenmenge, quantité retournée, cantidad devuelta, quantità resa"
    ),
    "refunded_amount": phrases(
        "refunded amount, item refunded, amount refunded, refund amount, item refunded amount, "
        "refunded, refund, "
        "Erstattungsbetrag, Erstattet, montant remboursé, importe reembolsado, importo rimborsato"
    ),
    "currency": phrases(
        "currency, currency code, order currency, order currency code, curr, waerk, waers, "
        "Währung, Waehrung, "
        "devise, moneda, divisa, valuta, waluta, para birimi, döviz, العملة, ارز, ვალუტა, 通貨"
    ),
    "line_type": phrases(
        "line type, type, transaction type, sales type, row type, record type, line action, "
        "receipt type, Belegtyp, tipo de recibo, type de reçu, tipo di ricevuta, rodzaj paragonu, "
        "makbuz türü, fiş türü, نوع الإيصال, نوع رسید, レシートタイプ, event type, order type, "
        "sale type, document type, entry type, "
        "Belegart, Vorgangsart, Buchungsart, Positionsart, Typ, Art, type de ligne, "
        "type de transaction, tipo, tipo de documento, tipo documento, tipo de transacción, "
        "typ dokumentu, rodzaj, tür, işlem türü, işlem tipi, نوع, النوع, نوع تراکنش, ტიპი, "
        "取引区分, 区分, 種別"
    ),
    "return_of": phrases(
        "return of, refund of, original order, original order id, original order no, "
        "original ticket, original ticket id, original ticket no, original receipt, "
        "original receipt no, original transaction, original transaction id, original invoice, "
        "return of order, Ursprungsbon, Originalbeleg, commande d'origine, pedido original"
    ),
    "cancelled": phrases(
        "cancelled, canceled, is cancelled, is canceled, cancelled at, canceled at, storno, "
        "storniert, void, voided, is void, annulé, annulée, anulado, cancelado, annullato, "
        "anulowane, anulowany, iptal, iptal edildi, ملغي, لغو شده, لغو, გაუქმებული, "
        "キャンセル, 取消"
    ),
}

IDENTIFIER_NAMES: dict[str, tuple[str, ...]] = {
    "account": phrases(
        "account id, account no, account number, account, cust account id, kunag, kunnr, kunrg, "
        "sold to party, sold to, customer id, customer no, "
        "customer number, customer code, customer unique id, "
        "customer, client id, client no, client, member id, "
        "member no, user id, user, household id, household key, household, buyer id, shopper id, "
        "Kundennummer, Kundennr, Kunden ID, Kunde, numéro client, no client, n client, id client, "
        "code client, número de cliente, id cliente, código cliente, cliente, codice cliente, "
        "numero cliente, numer klienta, nr klienta, id klienta, klient, müşteri no, müşteri id, "
        "müşteri kodu, müşteri, رقم العميل, العميل, کد مشتری, شناسه مشتری, مشتری, "
        "კლიენტის კოდი, მომხმარებელი, 顧客番号, 顧客ID, 会員番号, 会員ID, お客様番号"
    ),
    "email": phrases(
        "email, email address, customer email, contact email, billing email, buyer email, mail, "
        "user email, E-Mail-Adresse, Mailadresse, courriel, adresse e-mail, adresse mail, "
        "correo, correo electrónico, indirizzo email, posta elettronica, adres e-mail, e-posta, "
        "eposta, البريد الإلكتروني, ایمیل, ელფოსტა, メールアドレス, メール"
    ),
    "phone": phrases(
        "phone, phone number, phone no, mobile, mobile number, mobile no, mobile phone, telephone, "
        "cell, customer phone, billing phone, contact number, Telefon, Telefonnummer, Telefonnr, "
        "Handy, Handynummer, Mobil, Mobilnummer, téléphone, portable, teléfono, móvil, telefono, "
        "cellulare, telefon, numer telefonu, nr telefonu, komórka, telefon no, cep telefonu, gsm, "
        "رقم الهاتف, الهاتف, الجوال, تلفن, موبایل, شماره تلفن, شماره موبایل, ტელეფონი, "
        "მობილური, 電話番号, 携帯番号, 電話"
    ),
    "loyalty_card": phrases(
        "loyalty card, loyalty card id, loyalty card no, loyalty card number, loyalty id, "
        "loyalty no, loyalty number, loyalty, club card, clubcard, member card, customer card, "
        "card id, "
        "card no, card number, card, Kundenkarte, Kundenkartennummer, Kundenkartennr, Kartennr, "
        "Kartennummer, Karte, carte de fidélité, carte fidélité, n carte, tarjeta de fidelidad, "
        "tarjeta cliente, tarjeta, carta fedeltà, tessera, karta klienta, karta lojalnościowa, "
        "sadakat kartı, müşteri kartı, kart no, بطاقة الولاء, کارت وفاداری, ბარათი, "
        "ポイントカード, 会員カード"
    ),
    "payment_token": phrases(
        "payment token, payment card token, card token, payment hash, card hash, pan hash, token"
    ),
    "device": phrases("device id, device, cookie id, cookie, visitor id, anonymous id"),
}

#: Numeric fields whose names may have a neutral prefix.
MEASURES = ("quantity", "unit_price", "discount", "amount", "refunded_quantity", "refunded_amount")
_MONEY_TEXT = (
    "unit_price discount amount order_discount order_total order_shipping order_tax refunded_amount"
)
#: Fields with money.
MONEY = tuple(_MONEY_TEXT.split())

#: Columns that only a till writes.
TILL_NAMES = phrases(
    "till, till id, till no, register, register id, register no, terminal, terminal id, "
    "terminal no, pos id, pos no, lane, cashier, cashier id, cashier name, cash desk, ticket, "
    "ticket id, ticket no, ticket number, receipt, receipt id, receipt no, receipt number, Kasse, "
    "Kassennr, Kassierer, Bonnr, Bonnummer, Bon, Kassenbon, caisse, caissier, ticket de caisse, "
    "numéro de ticket, n ticket, caja, cajero, número de ticket, cassa, cassiere, scontrino, "
    "numero scontrino, kasa, kasjer, paragon, numer paragonu, nr paragonu, kasiyer, fiş no, fiş, "
    "صندوق, الكاشير, სალარო, მოლარე, ჩეკის ნომერი, ჩეკი, レジ, レジ番号, レシート番号"
)
TILL_NUMBER_NAMES = phrases(
    "till id, till no, till, register id, register no, register, terminal id, terminal no, "
    "terminal, pos id, pos no, pos, lane, device name, Kasse, Kassennr, Kassennummer, caisse, "
    "no caisse, caja, cassa, kasa, kasa no, صندوق, სალარო, レジ番号, レジ"
)
TIME_OF_DAY_NAMES = phrases(
    "time, time of day, tick time, ticket time, transaction time, trans time, sale time, "
    "sales time, order time, receipt time, invoice time, hour, Uhrzeit, Zeit, Bonzeit, "
    "heure, heure de vente, hora, ora, godzina, czas, saat, الوقت, الساعة, وقت, زمان, ساعت, "
    "დრო, 時刻, 時間"
)

#: Columns that may be the status of an order.
STATUS_NAMES = phrases(
    "status, order status, orderstatus, payment status, financial status, state, order state, "
    "receipt status, transaction status, sale status, line status, item status, Bestellstatus, "
    "Auftragsstatus, Zahlungsstatus, Zustand, statut, statut de la commande, statut commande, "
    "état, estado, estado del pedido, estado pedido, stato, stato ordine, stan, "
    "status zamówienia, stan zamówienia, durum, sipariş durumu, الحالة, حالة الطلب, وضعیت, "
    "وضعیت سفارش, სტატუსი, 状態, 注文ステータス, ステータス, 注文状況"
)
#: Columns that say yes for a returned line.
RETURN_NAMES = phrases(
    "returned, is return, is returned, is refund, refunded, is refunded, return, refund, "
    "return flag, Retoure, Rückgabe, retour, retourné, remboursé, devuelto, devolución, "
    "reembolsado, reso, rimborsato, zwrot, iade, iade mi, مرتجع, مرجوع, مرجوعی, "
    "დაბრუნებული, 返品, 返金"
)
#: Columns of product group codes, used if no column identifies products.
GROUP_NAMES = phrases(
    "product subcategory code, product subcategory, subcategory code, subcategory id, "
    "subcategory, product category code, product category, category code, category id"
)

#: Columns of names: of products if each has one, else perhaps of people.
NAMES = phrases("name, nom, nombre, nome, ad, isim, Name, نام, الاسم, სახელი, 名前, 名称")

#: Columns that identify Shopify's order export, in any order.
SHOPIFY_HEADER = {
    "Name",
    "Financial Status",
    "Created at",
    "Lineitem quantity",
    "Lineitem price",
    "Lineitem sku",
}

#: Required fields of each kind of source.
NEEDED: dict[str, tuple[str, ...]] = {
    "till_tickets": ("order_id", "occurred_at", "item_id", "quantity"),
    "order_lines": ("order_id", "occurred_at", "item_id", "quantity"),
    "products": ("item_id",),
    "locations": ("location_id",),
    "stock": ("location_id", "item_id", "on_hand"),
}
