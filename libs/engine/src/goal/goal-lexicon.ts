/**
 * Words of goals in French, German, Spanish and Chinese, with their English ones, so that one set of rules reads all of them. A word that
 * is not here stays as it is, and asks for something that no rule knows. No translation: word by word, for rules and not for people.
 */

/** `foreign=english;`, words of several parts first where they begin with the same word. */
const FRENCH = `chiffre d'affaires=revenue;jeu de données=dataset;base de données=database;fais une analyse=make an analysis;pour chaque=per;
de gestion de=for managing;de gestion des=for managing the;gestion de=managing;n'oublie pas de=also;n'oubliez pas de=also;s'il te plaît=please;s'il vous plaît=please;
analyse=analyze;analyser=analyze;analysez=analyze;explore=explore;explorez=explore;examine=examine;examinez=examine;
écris=write;écrire=write;écrivez=write;rédige=write;rédigez=write;rédiger=write;crée=create;créer=create;créez=create;génère=generate;génère-moi=generate;générez=generate;
construis=build;construisez=build;développe=develop;développez=develop;fais=make;faites=make;trace=draw;tracez=draw;dessine=draw;dessinez=draw;
montre=show;montrez=show;donne=give;donnez=give;dis=tell;trouve=find;trouvez=find;identifie=identify;identifiez=identify;calcule=compute;calculez=compute;
compte=count;comptez=count;compare=compare;comparez=compare;envoie=send;envoyer=send;envoyez=send;résume=summarize;résumez=summarize;résumer=summarize;résumé=summary;
traduis=translate;traduisez=translate;documente=document;documentez=document;teste=test;testez=test;explique=explain;expliquez=explain;vérifie=check;vérifiez=check;
déploie=deploy;déployez=deploy;publie=publish;publiez=publish;nettoie=clean;nettoyez=clean;prévois=predict;supprime=delete;
données=data;donnée=data;fichier=file;fichiers=files;rapport=report;rapports=reports;tests=tests;test=test;tests unitaires=unit tests;code=code;script=script;
programme=program;documentation=documentation;graphique=chart;graphiques=charts;diagramme=chart;diagrammes=charts;tendance=trend;tendances=trends;moyenne=mean;moyennes=means;
somme=sum;statistiques=statistics;anomalies=anomalies;valeurs=values;aberrantes=unusual;corrélations=correlations;résultats=results;ventes=sales;vente=sales;
clients=customers;client=customer;commandes=orders;commande=order;produits=products;produit=product;utilisateurs=users;utilisateur=user;livres=books;livre=book;
tâches=tasks;factures=invoices;employés=employees;température=temperature;météo=weather;prix=price;région=region;mois=month;année=year;ville=city;lettre=letter;
authentification=authentication;api=api;rest=rest;le=the;la=the;les=the;l=the;un=a;une=an;des=some;du=of the;de=of;d=of;au=to the;aux=to the;à=to;et=and;
ou=or;en=in;dans=in;sur=on;pour=for;avec=with;sans=without;par=by;ce=this;cette=this;cet=this;ces=these;mon=my;mes=my;notre=our;nos=our;vos=your;puis=then;combien=how many;
ensuite=then;aussi=also;moi=me;tout=all;tous=all;toutes=all`;

const GERMAN = `bitte=please;vergiss nicht=also;analysiere=analyze;analysieren=analyze;analysiert=analyze;untersuche=examine;untersuchen=examine;erkunde=explore;
schreibe=write;schreib=write;schreiben=write;erstelle=create;erstellen=create;erzeuge=generate;erzeugen=generate;generiere=generate;generieren=generate;
baue=build;bauen=build;entwickle=develop;entwickeln=develop;implementiere=implement;zeichne=draw;zeichnen=draw;zeige=show;zeig=show;zeigen=show;gib=give;sage=tell;sag=tell;
finde=find;finden=find;berechne=compute;berechnen=compute;zähle=count;zählen=count;vergleiche=compare;vergleichen=compare;sende=send;schicke=send;verschicke=send;
fasse=summarize;übersetze=translate;übersetzen=translate;dokumentiere=document;dokumentieren=document;teste=test;testen=test;erkläre=explain;erklären=explain;
prüfe=check;prüfen=check;veröffentliche=publish;bereinige=clean;daten=data;datei=file;dateien=files;bericht=report;berichte=reports;berichts=report;tests=tests;test=test;
unit-tests=unit tests;code=code;programm=program;skript=script;dokumentation=documentation;diagramm=chart;diagramme=charts;grafik=chart;grafiken=charts;trend=trend;
trends=trends;durchschnitt=mean;mittelwert=mean;mittelwerte=means;summe=sum;statistik=statistics;statistiken=statistics;ausreißer=outliers;werte=values;ungewöhnliche=unusual;
korrelationen=correlations;ergebnisse=results;verkäufe=sales;verkäufen=sales;verkaufsdaten=sales data;verkaufszahlen=sales figures;umsatz=revenue;umsätze=revenue;
kunden=customers;kundendaten=customer data;bestellungen=orders;produkte=products;produkt=product;benutzer=users;bücher=books;aufgaben=tasks;rechnungen=invoices;
mitarbeiter=employees;wetterdaten=weather data;wetter=weather;temperatur=temperature;preis=price;preise=prices;region=region;monat=month;jahr=year;stadt=city;brief=letter;
authentifizierung=authentication;anmeldung=login;api=api;rest=rest;rest-api=rest api;der=the;die=the;das=the;den=the;dem=the;des=of the;ein=a;eine=a;einen=a;einem=a;einer=a;
und=and;oder=or;in=in;im=in the;auf=on;für=for;mit=with;ohne=without;von=of;zu=to;zum=to the;zur=to the;pro=per;je=per;nach=by;diese=this;diesen=this;dieses=this;
meine=my;unsere=our;dann=then;danach=then;auch=also;mir=me;alle=all;wie viele=how many;aus=from;über=about`;

const SPANISH = `por favor=please;conjunto de datos=dataset;base de datos=database;para cada=per;de gestión de=for managing;no olvides=also;
analiza=analyze;analizar=analyze;analice=analyze;explora=explore;examina=examine;escribe=write;escribir=write;escriba=write;redacta=write;crea=create;crear=create;
cree=create;genera=generate;generar=generate;genere=generate;construye=build;desarrolla=develop;desarrollar=develop;haz=make;dibuja=draw;traza=draw;muestra=show;muéstrame=show me;
dame=give me;dime=tell me;encuentra=find;busca=find;identifica=identify;calcula=compute;calcular=compute;cuenta=count;compara=compare;envía=send;envíalo=send it;enviar=send;
resume=summarize;resumir=summarize;resumen=summary;traduce=translate;traducir=translate;documenta=document;documentar=document;prueba=test;explica=explain;
comprueba=check;verifica=check;despliega=deploy;publica=publish;limpia=clean;predice=predict;datos=data;archivo=file;archivos=files;fichero=file;informe=report;informes=reports;
reporte=report;tests=tests;pruebas=tests;pruebas unitarias=unit tests;código=code;script=script;programa=program;documentación=documentation;gráfico=chart;gráficos=charts;
gráfica=chart;tendencia=trend;tendencias=trends;media=mean;promedio=mean;suma=sum;estadísticas=statistics;anomalías=anomalies;valores=values;atípicos=unusual;
correlaciones=correlations;resultados=results;ventas=sales;venta=sales;ingresos=revenue;clientes=customers;cliente=customer;pedidos=orders;pedido=order;productos=products;
producto=product;usuarios=users;usuario=user;libros=books;tareas=tasks;facturas=invoices;empleados=employees;temperatura=temperature;tiempo=weather;precio=price;región=region;
mes=month;año=year;ciudad=city;carta=letter;autenticación=authentication;api=api;rest=rest;el=the;la=the;los=the;las=the;un=a;una=a;unos=some;unas=some;del=of the;
de=of;al=to the;a=to;y=and;e=and;o=or;en=in;sobre=on;para=for;con=with;sin=without;por=by;este=this;esta=this;estos=these;estas=these;mi=my;mis=my;nuestro=our;
nuestros=our;luego=then;después=then;también=also;no=not;tienen=have;tiene=has;cuántos=how many;cuántas=how many;todos=all;todas=all;cada=each;que=that`;

const CHINESE = `不要忘记=also;别忘了=also;请=please;帮我=for me;给我=for me;分析=analyze;研究=research;探索=explore;检查=check;编写=write;撰写=write;写=write;创建=create;建立=create;
生成=generate;制作=make;做=make;构建=build;开发=develop;实现=implement;绘制=draw;画=draw;显示=show;展示=show;找出=find;查找=find;识别=identify;计算=compute;统计=count;
比较=compare;发送=send;总结=summarize;概括=summarize;摘要=summary;翻译=translate;记录=document;测试=tests;单元测试=unit tests;解释=explain;部署=deploy;发布=publish;清理=clean;
预测=predict;数据=data;数据库=database;文件=file;文档=documentation;报告=report;代码=code;脚本=script;程序=program;图表=chart;图=chart;趋势=trends;平均值=mean;总和=sum;异常值=outliers;
结果=results;销售额=revenue;收入=revenue;销售=sales;客户=customers;顾客=customers;订单=orders;产品=products;用户=users;图书=books;任务=tasks;发票=invoices;员工=employees;
天气=weather;温度=temperature;价格=price;地区=region;月份=month;每月=per month;城市=city;认证=authentication;身份验证=authentication;接口=api;管理=managing;每个=per;的=of;和=and;
并且=and;并=and;然后=then;这个=this;这些=these;这份=this;这封=this;这=this;一个=a;一份=a;一张=a;一些=some;所有=all;我们=we;我=my;用=with;为=for`;

interface Lexicon {
  /** All its words in one pattern, the longest first. */
  words: RegExp;
  english: ReadonlyMap<string, string>;
}

function lexicon(text: string, spaced: boolean): Lexicon {
  const english = new Map(
    text.split(';').map((entry) => {
      const [foreign = '', meaning = ''] = entry.split('=');
      return [foreign.trim(), meaning.trim()] as const;
    }),
  );
  const longestFirst = [...english.keys()].sort((a, b) => b.length - a.length).join('|');
  return { words: new RegExp(spaced ? `(?<![\\p{L}\\p{N}-])(?:${longestFirst})(?![\\p{L}\\p{N}-])` : longestFirst, 'gu'), english };
}

const SPACED = [FRENCH, GERMAN, SPANISH].map((text) => lexicon(text, true));
const HAN = lexicon(CHINESE, false);
/** Below this share of known words a text is taken as English: "die" and "sin" are words there, too. */
const KNOWN_SHARE = 0.6;
/** "d'affaires", "l'API": the article is a word of its own. */
const ELIDED = /(?<![\p{L}\p{N}])([dlnsmjtc]|qu)'(?=\p{L})/gu;

const countWords = (text: string): number => text.match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*/gu)?.length ?? 0;

function rendered(text: string, { words, english }: Lexicon): { text: string; known: number } {
  let known = 0;
  const replaced = text.replace(words, (word) => {
    known += countWords(word);
    return english.get(word) ?? word;
  });
  return { text: replaced, known };
}

/** A text with those of its words in English that the lexicon has, if it is in one of its languages; else as it is. */
export function inEnglish(text: string): string {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return text;
  if (/\p{Script=Han}/u.test(text))
    return text
      .replace(HAN.words, (word) => ` ${HAN.english.get(word) ?? word} `)
      .replace(/\s+/g, ' ')
      .trim();
  const lower = text.toLowerCase().replaceAll('’', "'");
  const total = countWords(lower);
  if (total === 0) return text;
  const [best] = SPACED.map((each) => rendered(lower, each)).sort((a, b) => b.known - a.known);
  const elided = rendered(lower.replace(ELIDED, '$1 '), SPACED[0] ?? HAN);
  const chosen = best && best.known >= elided.known ? best : elided;
  return chosen.known >= KNOWN_SHARE * total && chosen.known > 0 ? chosen.text : text;
}
